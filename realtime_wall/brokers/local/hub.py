"""Where the servers of one machine meet: proposals get their places here, and everybody is sent the entries.

A server that is alone has its hub in itself; a second one joins the first one's, and workers that of their
supervisor, which is no server (``hub_client.py``, ``hub_connection.py``). For the process that it is in, the
hub is the link.
"""

from __future__ import annotations

from typing import Protocol

from realtime_wall.brokers.entry import Entry, Proposal, Sequenced
from realtime_wall.brokers.link import Envelope, Member
from realtime_wall.brokers.sequencer import Sequencer
from realtime_wall.brokers.waiting import check_may_wait, no_waiting
from realtime_wall.channels.log import Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules


class HubOwner(Protocol):
    """What the process of the hub is called with. Nothing here waits."""

    def entry(self, entry: Entry) -> None:
        """Each one, before the servers of other processes are sent it."""

    def receive(self, envelope: Envelope) -> None: ...
    def gone(self, address: str) -> None:
        """A server of another process has left."""


class HubPeer(Protocol):
    """A server of another process. Nothing here waits."""

    def entry(self, entry: Entry) -> None: ...
    def receive(self, envelope: Envelope) -> None: ...
    def servers_changed(self, servers: tuple[str, ...]) -> None:
        """One has come, or gone."""


class Hub:
    def __init__(self, rules: Rules, history_channels: int, address: str) -> None:
        self.address = address
        self._rules, self._history_channels = rules, history_channels
        self._sequencer: Sequencer | None = None
        self._owner: HubOwner | None = None
        self._own_server: tuple[str, ...] = ()
        self._peers: dict[str, HubPeer] = {}
        self._servers: tuple[str, ...] = ()

    # As the link of its own process

    def join(self, member: Member) -> None:
        """Be the link of a server, and use its log."""
        self._own_server = (self.address,)
        self.belong_to(member, member.take_over())

    def belong_to(self, owner: HubOwner, log: Log) -> None:
        """Be the link of a process that is no server."""
        self._owner = owner
        self._sequencer = Sequencer(self._rules, self._history_channels, log)
        self._servers_have_changed()

    def leave(self) -> None:
        self._own_server = ()
        self._servers_have_changed()

    @property
    def log(self) -> Log:
        assert self._sequencer is not None, "nobody has joined yet"
        return self._sequencer.log

    def sequence(self, proposal: Proposal) -> Sequenced:
        assert self._sequencer is not None, "nobody has joined yet"
        check_may_wait()  # in another process this would wait
        sequenced, entry = self._sequencer.sequence(proposal)
        if entry is not None:
            assert self._owner is not None
            with no_waiting():
                self._owner.entry(entry)
                for peer in tuple(self._peers.values()):
                    peer.entry(entry)
        return sequenced

    def send(self, address: str, envelope: Envelope) -> None:
        if address in self._peers:
            self._peers[address].receive(envelope)
        elif address == self.address and self._owner is not None:
            self._owner.receive(envelope)

    def servers(self) -> tuple[str, ...]:
        return self._servers

    def top(self) -> Position:
        return self.log.top

    # For servers of other processes

    def add(self, address: str, peer: HubPeer) -> None:
        """From now on it is sent everything."""
        self._peers[address] = peer
        self._servers_have_changed()

    def remove(self, address: str) -> None:
        if self._peers.pop(address, None) is not None:
            self._servers_have_changed()
            if self._owner is not None:
                self._owner.gone(address)

    def _servers_have_changed(self) -> None:
        self._servers = (*self._own_server, *self._peers)
        for peer in tuple(self._peers.values()):
            peer.servers_changed(self._servers)
