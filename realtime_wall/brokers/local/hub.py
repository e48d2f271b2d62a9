"""Where the servers of one machine meet: proposals get their places here, and everybody is sent the entries.

A server that is alone has its hub in itself; a second one joins the first one's, and workers that of their
supervisor, which is no server (``hub_client.py``, ``hub_connection.py``). For the process that it is in, the
hub is the link.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from realtime_wall.brokers.entry import Entry, Proposal, Sequenced
from realtime_wall.brokers.link import Envelope, Member
from realtime_wall.brokers.local.disk_log import DiskLog
from realtime_wall.brokers.sequencer import Sequencer
from realtime_wall.brokers.waiting import check_may_wait, no_waiting
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image, Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules


class HubOwner(Protocol):
    """What the process of the hub is called with. Nothing here waits."""

    def take_over(self, restored: Iterator[ChannelImage | Image] | None = None) -> Log:
        """The log that is the site's from now on: see ``link.Member``."""

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
        self._disk_log: DiskLog | None = None
        self._rules, self._history_channels = rules, history_channels
        self._sequencer: Sequencer | None = None
        self._owner: HubOwner | None = None
        self._own_server: tuple[str, ...] = ()
        self._peers: dict[str, HubPeer] = {}
        self._servers: tuple[str, ...] = ()

    # As the link of its own process

    def join(self, member: Member, disk_log: DiskLog | None = None) -> None:
        """Be the link of a server, and use its log."""
        self._own_server = (self.address,)
        self.belong_to(member, disk_log)

    def belong_to(self, owner: HubOwner, disk_log: DiskLog | None = None) -> None:
        """Be the link of a process, which may be no server, and use its log."""
        self._owner, self._disk_log = owner, disk_log
        if disk_log is None:
            self._sequencer = Sequencer(self._rules, self._history_channels, owner.take_over())
        else:
            self._sequencer = self._restored(owner, disk_log)
        self._servers_have_changed()

    def _restored(self, owner: HubOwner, disk_log: DiskLog) -> Sequencer:
        restored = disk_log.restore()
        image = None if restored is None else restored.log.image(time.time())
        log = owner.take_over(image)
        sequencer = Sequencer(self._rules, self._history_channels, log, disk_log.write)
        if restored is not None:
            sequencer.remember(restored.keys)
        disk_log.start(log, sequencer.answered)
        return sequencer

    def leave(self) -> None:
        self._own_server = ()
        self._servers_have_changed()

    def close(self) -> None:
        """Nothing is sequenced any more."""
        if self._disk_log is not None:
            self._disk_log.stop()

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
