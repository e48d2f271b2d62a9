"""Any bytes: the same events in one piece as byte by byte. Needs atheris: python -m tests.fuzz.fuzz_frames"""

import sys

import atheris

with atheris.instrument_imports(include=["realtime_wall"]):
    from realtime_wall.protocol.frames import FrameReader


def parse(data: bytes) -> None:
    whole, pieces = (FrameReader(max_message=300, max_fragments=4) for _ in range(2))
    events = whole.receive(data)
    assert events == [event for byte in data for event in pieces.receive(bytes((byte,)))]


if __name__ == "__main__":
    atheris.Setup(sys.argv, parse)
    atheris.Fuzz()
