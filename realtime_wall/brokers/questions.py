"""What a process asks the servers to be answered: by any number of items, each when it comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from realtime_wall.brokers.commands import Request, Route
from realtime_wall.channels.names import check_channel

MAX_LAST = 1000


@dataclass(frozen=True, slots=True)
class Question(Request):
    """Is answered by any number of items."""

    route: ClassVar[Route] = Route.EACH_SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow(Question):
    """Ask for what is published on channels that fit a pattern, the last so many first; without an end."""

    route = Route.FOLLOW

    pattern: str
    last: int = 0

    def check(self, *, of_server: bool = False) -> None:
        if not 0 <= self.last <= MAX_LAST:
            raise ValueError(f"nobody can ask for more than the last {MAX_LAST} messages")


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStatistics(Question):
    """Ask for the statistics of a channel, of all that begin so (``news*``), of ``ALL``, or for a summary."""

    selection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetServers(Question):
    """Ask each server what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMetrics(Question):
    """Ask each server for its figures, as a monitoring system wants them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSockets(Question):
    """Ask who is connected, or on a channel: some at a time, those behind a session id."""

    route = Route.PORTIONS

    channel: str | None = None
    after: str = ""

    def check(self, *, of_server: bool = False) -> None:
        if self.channel:
            check_channel(self.channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSocketPage(Question):
    """Ask each server for its next sockets, behind a session id: of a channel, or of a user."""

    after: str = ""
    limit: int = 50
    channel: str | None = None
    user_id: str | None = None

    def check(self, *, of_server: bool = False) -> None:
        _check_limit(self.limit)
        if self.channel:
            check_channel(self.channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetChannelPage(Question):
    """Ask each server for its next channels, behind a name, that begin so."""

    after: str = ""
    limit: int = 50
    prefix: str = ""

    def check(self, *, of_server: bool = False) -> None:
        _check_limit(self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHistory(Question):
    """Ask for the last messages of a channel."""

    route = Route.ANY_SERVER

    channel: str
    last: int = 20

    def check(self, *, of_server: bool = False) -> None:
        check_channel(self.channel)
        _check_limit(self.last)


def _check_limit(limit: int) -> None:
    if not 0 < limit <= MAX_LAST:
        raise ValueError(f"a page has from 1 to {MAX_LAST} lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPresence(Question):
    """Ask which persons are on a channel with PRESENCE."""

    route = Route.ANY_SERVER

    channel: str

    def check(self, *, of_server: bool = False) -> None:
        check_channel(self.channel)
