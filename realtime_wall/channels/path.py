"""Which channels does a path name? To a listener ``a/b.b10/c`` is three, of the second the last ten first.

Only a listener looks back: who publishes to ``b.b10``, or asks about it, means a channel of that name. One
who wants to listen to that channel writes ``b.b10.b0``.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from realtime_wall.channels.names import MAX_NAME, check_channel
from realtime_wall.channels.rules import Rules
from realtime_wall.channels.wildcards import check_subscribable
from realtime_wall.errors import InvalidChannel, RealtimeWallError

NO_RULES = Rules({})  # they allow no wildcards
NOT_AUTHORIZED = "Channel id not authorized for this method."
_BACKTRACK = re.compile(r"(.+)\.b([0-9]{1,9})", re.DOTALL).fullmatch


class BadPath(RealtimeWallError):
    """A path that names no channels that could be used; with the status that answers it."""

    def __init__(self, status: int, explanation: str) -> None:
        self.status = status
        self.explanation = explanation
        super().__init__(explanation)


def parse(path: str, limit: int, rules: Rules = NO_RULES) -> dict[str, int]:
    """Each channel, or wildcard, in the order of the path, with how many messages to look back."""
    found: dict[str, int] = {}
    for part in _parts(path, limit):
        match = _BACKTRACK(part)
        name, backtrack = (match[1], int(match[2])) if match else (part, 0)
        found.setdefault(_checked_wildcard(name, rules, found) if "*" in name else _checked(name), backtrack)
    return found


def names(path: str, limit: int) -> list[str]:
    """Each channel as it is written, once, in the order of the path."""
    return list(dict.fromkeys(map(_checked, _parts(path, limit))))


def _parts(path: str, limit: int) -> list[str]:
    parts = [part for part in path.split("/") if part]
    if not parts:
        raise BadPath(400, "No channel id provided.")
    if len(parts) > limit:
        raise BadPath(403, f"More than {limit} channels were asked for.")
    return parts


def _checked_wildcard(name: str, rules: Rules, before: Collection[str]) -> str:
    try:
        return check_subscribable(name, rules, before)
    except InvalidChannel as problem:
        raise BadPath(403, NOT_AUTHORIZED) from problem


def _checked(name: str) -> str:
    if name == "ALL" or "*" in name:
        raise BadPath(403, NOT_AUTHORIZED)
    if len(name) > MAX_NAME:
        raise BadPath(400, "Channel id is too large.")
    try:
        return check_channel(name)
    except InvalidChannel as problem:
        raise BadPath(400, f"Channel id cannot be used: {problem.reason}.") from problem
