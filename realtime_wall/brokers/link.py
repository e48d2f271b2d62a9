"""What a broker is made of: the contract between a process and the ways in which messages travel.

A link leads from a process to the others: to a hub in the same process or in another one of the machine, or
to Redis. It puts proposals into one order, carries envelopes from one address to another, and, for a server,
brings in every entry of that order and every envelope that is meant for it. What servers do with those is the
same for all links (``member.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from realtime_wall.brokers.entry import Entry, Proposal, Sequenced
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image, Log
from realtime_wall.channels.position import Position

# A JSON object from one process to another: a request, or the reply to one (``rpc.py``).
Envelope = dict[str, Any]


class Link(Protocol):
    """From a process to the others. It blocks only the greenlet, or the thread, that calls it.

    What waits raises MustNotWait in a callback of the link (``waiting.py``).
    """

    @property
    def address(self) -> str:
        """Of this process; unique in the cluster. That of a server begins the ids of its sessions."""

    def sequence(self, proposal: Proposal) -> Sequenced:
        """Give it its place. PublishFailed when that was not confirmed in time.

        For a server, its entry has been brought in (or is about to be) when this returns.
        """

    def send(self, address: str, envelope: Envelope) -> None:
        """Carry it, in order, to a process that may be gone: then it is lost. Does not wait."""

    def servers(self) -> tuple[str, ...]:
        """The addresses of the servers that are alive, this one too."""

    def top(self) -> Position | None:
        """The position of the last entry; None when no server has ever been there."""


class Member(Protocol):
    """A server, as its link sees it. Everything is called from one greenlet, and only one thing waits."""

    def begin(self, image: Iterator[ChannelImage | Image]) -> None:
        """What is kept of earlier entries. Called again, it says that some were missed: clients come back."""

    def entry(self, entry: Entry) -> None:
        """The next entry of the order."""

    def receive(self, envelope: Envelope) -> None:
        """An envelope that is meant for this server."""

    def wait_for_room(self) -> None:
        """Called between entries, and may wait: the deliveries are behind."""

    def gone(self, address: str) -> None:
        """Another server has left."""

    def take_over(self, restored: Iterator[ChannelImage | Image] | None = None) -> Log:
        """This process gives the entries their places from now on, in this log.

        It has what was ``restored`` of an earlier hub's, or else a new epoch: if entries came in before,
        positions of those are void. All clients come back.
        """

    def cut_off(self) -> None:
        """The link is gone for good: the server has to end, and another will take its place."""


class ServerLink(Link, Protocol):
    def join(self, member: Member) -> None:
        """Be a server: the log is complete when this returns, and entries are coming in."""

    def leave(self) -> None: ...
