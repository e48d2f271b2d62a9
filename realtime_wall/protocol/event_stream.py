"""Server-Sent Events: the lines of a ``text/event-stream``.

HTML Living Standard, section 9.2. A line ends in LF, CR or CRLF, so a text that has any of them becomes
several ``data`` lines; what reads them puts one LF between each.
"""

from __future__ import annotations

import re

_LINE_ENDS = re.compile("\r\n|\r|\n")


def event_text(data: str, *, id: str | None = None, event: str | None = None) -> str:
    """One event. ``id`` and ``event`` were checked: they have no line ends."""
    head = ("" if id is None else f"id: {id}\n") + ("" if event is None else f"event: {event}\n")
    return head + "".join(f"data: {line}\n" for line in _LINE_ENDS.split(data)) + "\n"


def position_text(id: str) -> str:
    """Moves on what a browser sends as ``Last-Event-ID``; no page hears of it."""
    return f"id: {id}\n\n"


def comment_text(text: str) -> str:
    """Lines that only a person sees who looks at the stream."""
    return "".join(f": {line}\n" for line in _LINE_ENDS.split(text))


def retry_text(milliseconds: int) -> str:
    """How long a browser waits before it comes back."""
    return f"retry: {milliseconds}\n\n"
