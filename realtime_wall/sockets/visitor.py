"""Who is behind a socket, known for as long as it lives without asking the database again.

The session is read once, in the handshake: whose it is, and its key. When that user leaves, or that
session ends, the sockets to be cut are found in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

_ATTRIBUTE = "realtime_wall_visitor"


@dataclass(frozen=True, slots=True)
class Visitor:
    user_id: str | None = None  # the user's primary key, as the session has it
    session_key: str | None = None


NOBODY = Visitor()


def remember(request: HttpRequest) -> None:
    """Note on a handshake's request who it is from."""
    session = getattr(request, "session", None)
    if session is not None and session.session_key:
        visitor = Visitor(session.get(SESSION_KEY), session.session_key)
        setattr(request, _ATTRIBUTE, visitor)


def of(request: HttpRequest) -> Visitor:
    visitor = getattr(request, _ATTRIBUTE, NOBODY)
    return visitor if isinstance(visitor, Visitor) else NOBODY
