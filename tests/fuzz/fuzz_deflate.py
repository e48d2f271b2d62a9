"""Any bytes of a client with compression: the same messages in one piece as byte by byte, none too large.

The head of its handshake is any text: an offer that is accepted is answered by one that it can read.
"""

from realtime_wall.protocol.websocket.deflate import DeflateReader, inflate
from realtime_wall.protocol.websocket.deflate_offer import accept
from realtime_wall.protocol.websocket.frames import Binary, Deflated, Text

LIMIT = 300
OFFER = "permessage-deflate;"


def parse(data: bytes) -> None:
    whole, pieces = (DeflateReader(max_message=LIMIT, max_fragments=4) for _ in range(2))
    events = whole.receive(data)
    assert events == [event for byte in data for event in pieces.receive(bytes((byte,)))]
    for event in events:
        if isinstance(event, Deflated):
            match inflate(event, LIMIT):
                case Text() as message:
                    assert len(message.text.encode()) <= LIMIT
                case Binary() as message:
                    assert len(message.data) <= LIMIT
    for header in (data.decode("latin-1"), OFFER + data.decode("latin-1")):
        accepted = accept(header)
        assert accepted is None or accept(accepted.answer) == accepted
