"""A line for each message and event that a client sends, in the format that the project sets.

``MESSAGE_LOG_FORMAT`` is a %-format. It is given the strings of the request's META (``REMOTE_ADDR``,
``HTTP_USER_AGENT``, ...), and ``TIME``, ``TYPE`` (the event's name, or ``message``) and ``MESSAGE``. It is
off by default: what people write to each other belongs in no log that they do not know of.
"""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

log = logging.getLogger("realtime_wall.messages")

MAX_MESSAGE = 500


class _Fields(dict[str, Any]):
    """What the format may name; a header that was not sent is a dash."""

    def __missing__(self, name: str) -> str:
        return "-"


def note(line_format: str, request: HttpRequest, kind: str, data: Any) -> None:
    """Log a message."""
    fields = _Fields({key: value for key, value in request.META.items() if isinstance(value, str)})
    # Written as Python would: a line break or an escape sequence stays on its line, as letters.
    fields.update(TIME=timezone.now(), TYPE=kind, MESSAGE=ascii(data)[:MAX_MESSAGE])
    try:
        log.info(line_format % fields)
    except (TypeError, ValueError):
        log.exception("REALTIME_WALL['MESSAGE_LOG_FORMAT'] cannot be used: %r", line_format)
