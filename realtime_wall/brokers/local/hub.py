"""Where the servers of one machine meet: drafts get their places here, and everybody is told of the entries.

A server that is alone has its hub in itself; a second one joins the first one's, and workers that of their
supervisor (``member_link.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from realtime_wall.brokers.entry import Entry, Proposal, Sequenced
from realtime_wall.brokers.link import Member, Note
from realtime_wall.brokers.sequencer import Sequencer
from realtime_wall.channels.log import Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules


class Guest(Protocol):
    """A server at a hub. Nothing here waits."""

    def entry(self, entry: Entry) -> None: ...
    def note(self, note: Note) -> None: ...
    def servers_are(self, servers: tuple[str, ...]) -> None:
        """One has come, or gone."""


class Hub:
    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._guests: dict[str, Guest] = {}
        self._callers: dict[str, Callable[[Note], None]] = {}
        self._watchers: list[Callable[[Entry], object]] = []
        self._on_gone: list[Callable[[str], None]] = []

    @property
    def log(self) -> Log:
        return self._sequencer.log

    def add(self, address: str, guest: Guest) -> None:
        """From now on it is told everything."""
        self._guests[address] = guest
        self._tell_who_is_here()

    def watch(self, callback: Callable[[Entry], object]) -> None:
        """Call it with each entry, before the servers are told."""
        self._watchers.append(callback)

    def on_gone(self, callback: Callable[[str], None]) -> None:
        """Call it with the address of each server that has left."""
        self._on_gone.append(callback)

    def add_caller(self, address: str, note: Callable[[Note], None]) -> None:
        """Somebody who is told nothing but notes."""
        self._callers[address] = note

    def remove(self, address: str) -> None:
        if self._guests.pop(address, None) is not None:
            self._tell_who_is_here()
            for callback in self._on_gone:
                callback(address)

    def _tell_who_is_here(self) -> None:
        for guest in tuple(self._guests.values()):
            guest.servers_are(self.servers())

    def servers(self) -> tuple[str, ...]:
        return tuple(self._guests)

    def sequence(self, proposal: Proposal) -> Sequenced:
        sequenced, entry = self._sequencer.sequence(proposal)
        if entry is not None:
            for watcher in self._watchers:
                watcher(entry)
            for guest in tuple(self._guests.values()):
                guest.entry(entry)
        return sequenced

    def tell(self, address: str, note: Note) -> None:
        guest = self._guests.get(address)
        if guest is not None:
            guest.note(note)
        elif address in self._callers:
            self._callers[address](note)


class CallerLink:
    """To a hub in this process, from something that is no server."""

    def __init__(self, hub: Hub, address: str) -> None:
        self.address = address
        self._hub = hub

    def sequence(self, proposal: Proposal) -> Sequenced:
        return self._hub.sequence(proposal)

    def tell(self, address: str, note: Note) -> None:
        self._hub.tell(address, note)

    def servers(self) -> tuple[str, ...]:
        return self._hub.servers()

    def top(self) -> Position:
        return self._hub.log.top


class HubLink:
    """To a hub in this process, which uses the log of the server that joins it."""

    def __init__(self, rules: Rules, history_channels: int, address: str) -> None:
        self.address = address
        self._sequencer_for = partial(Sequencer, rules, history_channels)
        self._hub: Hub | None = None
        self._member: Member | None = None
        self._servers: tuple[str, ...] = ()

    @property
    def hub(self) -> Hub:
        assert self._hub is not None, "nobody has joined yet"
        return self._hub

    def sequence(self, proposal: Proposal) -> Sequenced:
        return self.hub.sequence(proposal)

    def tell(self, address: str, note: Note) -> None:
        self.hub.tell(address, note)

    def servers(self) -> tuple[str, ...]:
        return self._servers

    def top(self) -> Position:
        return self.hub.log.top

    def join(self, member: Member) -> None:
        self._hub = Hub(self._sequencer_for(member.take_over()))
        self._member = member
        self.hub.add(self.address, self)

    def leave(self) -> None:
        self.hub.remove(self.address)

    # As a guest of the hub

    def entry(self, entry: Entry) -> None:
        assert self._member is not None
        self._member.entry(entry)

    def note(self, note: Note) -> None:
        assert self._member is not None
        self._member.note(note)

    def servers_are(self, servers: tuple[str, ...]) -> None:
        assert self._member is not None
        gone, self._servers = set(self._servers) - set(servers), servers
        for address in gone:
            self._member.gone(address)
