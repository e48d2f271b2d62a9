"""Any text: some command, never an exception."""

from realtime_wall.protocol import plain

KINDS = ["ack", "message", "subscribe", "unsubscribe", "say", "gap"]
WORDS = [
    *'019[]{}",:-.e\\ \x00é',
    *(f'{{"type":"{kind}"' for kind in KINDS),
    ',"id":',
    ',"channel":"a"',
    "\\ud800",
]


def parse(data: bytes) -> None:
    text = "".join([WORDS[byte % len(WORDS)] for byte in data])
    assert isinstance(plain.parse(text, max_depth=8), plain.Command)
