"""Any polling body and any text: packets or a BadPacket."""

from realtime_wall.protocol.engineio import MAX_PACKETS, BadPacket, decode_payload, decode_text


def parse(data: bytes) -> None:
    try:
        if data[:1] < b"\x80":
            assert 0 < len(decode_payload(data[1:])) <= MAX_PACKETS
        else:
            decode_text(data[1:].decode("utf-8", "replace"))
    except BadPacket as problem:
        assert problem.reason
