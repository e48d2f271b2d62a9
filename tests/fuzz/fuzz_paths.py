"""Any path of channels: names that may be used, or a refusal that says why."""

import contextlib

from realtime_wall.channels import path
from realtime_wall.channels.names import MAX_NAME, check_channel, check_event_id
from realtime_wall.errors import InvalidMessage

LIMIT = 8
# Bytes below 32 stand for what matters to the parser.
WORDS = [
    "/",
    ".b",
    ".b9",
    "0",
    "ALL",
    "*",
    " ",
    "\u0301",
    "e",
    "\u202e",
    "\0",
    "\ud800",
    "x" * MAX_NAME,
    "٣",
    "\n",
]


def parse(data: bytes) -> None:
    text = "".join(WORDS[byte] if byte < len(WORDS) else chr(byte * 7) for byte in data)
    for read in (path.parse, path.names):
        try:
            found = read(text, LIMIT)
        except path.BadPath as problem:
            assert problem.status in (400, 403) and problem.explanation
            continue
        assert 0 < len(found) <= LIMIT
        for name in found:
            assert check_channel(name) == name and "/" not in name and len(name) <= MAX_NAME
        assert list(path.names("/".join(found), LIMIT)) == list(found)
    with contextlib.suppress(InvalidMessage):
        assert check_event_id(text) == text and "\n" not in text
