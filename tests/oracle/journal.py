"""What publishers tried and what clients heard, as they wrote it down while it happened.

A message is known by its number, which no two attempts for different messages share. Nothing here knows
how it was sent: a journal of a WebSocket and one of a long poll read the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_written = re.compile(r"([^:]+):([0-9]+)(?:\.[0-9]+)?").fullmatch


class Place(NamedTuple):
    """A position, as the oracle reads it: it does not trust the code that it judges."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place:
        match = _written(text)
        if match is None:
            raise ValueError(f"{text!r} is no cursor")
        return cls(match[1], int(match[2]))


# What became of an attempt to publish.
TAKEN, REFUSED, UNKNOWN = "taken", "refused", "unknown"


class Attempt(NamedTuple):
    """One call of ``publish``. The same number again is the same message, tried again with its key."""

    number: int
    channel: str
    began: float
    ended: float
    outcome: str
    place: Place | None = None  # when it was taken
    why: str = ""  # when it was not
    key: str | None = None


class Run(NamedTuple):
    """Messages that came one after the other, on one connection and in one epoch."""

    epoch: str
    offsets: Sequence[int]
    numbers: Sequence[int]


class Resumed(NamedTuple):
    """The client came back and said up to where it had heard; no channel: of all its channels."""

    channel: str | None
    place: Place


class At(NamedTuple):
    """The server said that the client stands here: it has missed nothing up to it."""

    channel: str | None
    place: Place


class Gap(NamedTuple):
    """The server said that what was up to here cannot be told."""

    channel: str | None
    place: Place


class Connected(NamedTuple):
    when: float
    where: str


class DisconnectUser(NamedTuple):
    when: float
    why: str


class Refused(NamedTuple):
    """No connection came about."""

    when: float
    why: str


class CaughtUp(NamedTuple):
    """Something that was published after the client was back has come, so all that it missed has."""

    when: float
    seconds: float  # since the cut


class Odd(NamedTuple):
    """Something that no server should say."""

    what: str


Event = Run | Resumed | At | Gap | Connected | DisconnectUser | Refused | CaughtUp | Odd


@dataclass
class Journal:
    """What one client heard, in its order."""

    name: str
    kind: str
    channels: tuple[str, ...]
    # It keeps one cursor for all its channels, so what it hears of them has to rise across them.
    one_cursor: bool = False
    events: list[Event] = field(default_factory=list)
