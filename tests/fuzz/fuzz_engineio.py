"""Any polling body and any text: packets or a BadPacket. Needs atheris: python -m tests.fuzz.fuzz_engineio"""

import sys

import atheris

with atheris.instrument_imports(include=["realtime_wall"]):
    from realtime_wall.protocol.engineio import MAX_PACKETS, BadPacket, decode_payload, decode_text


def parse(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    try:
        if source.ConsumeBool():
            assert 0 < len(decode_payload(data[1:])) <= MAX_PACKETS
        else:
            decode_text(source.ConsumeUnicode(sys.maxsize))
    except BadPacket as problem:
        assert problem.reason


if __name__ == "__main__":
    atheris.Setup(sys.argv, parse)
    atheris.Fuzz()
