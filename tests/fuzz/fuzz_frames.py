"""Any bytes: the same events in one piece as byte by byte."""

from realtime_wall.protocol.websocket.frames import FrameReader


def parse(data: bytes) -> None:
    whole, pieces = (FrameReader(max_message=300, max_fragments=4) for _ in range(2))
    events = whole.receive(data)
    assert events == [event for byte in data for event in pieces.receive(bytes((byte,)))]
