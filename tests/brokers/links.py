"""Ways in which processes are joined: each kind gives servers and outsiders of one cluster.

Another broker is another class here, and a line in ``KINDS``: the tests of ``test_contract.py`` hold for it.
"""

from __future__ import annotations

from collections import deque

import gevent
from gevent.event import Event

from realtime_wall.brokers.local.local_link import LocalLink
from realtime_wall.brokers.node_id import new_address
from realtime_wall.brokers.redis.redis_link import RedisLink
from realtime_wall.brokers.redis.sync_client import SyncClient
from realtime_wall.brokers.results import Receipt
from realtime_wall.brokers.sequencer import Sequencer, new_epoch
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from tests.brokers.members import CHANNELS_KEPT, RecordingMember, some_rules


class Cluster:
    """Servers and outsiders, which leave at the end."""

    def __init__(self, kind, rules, history_channels=CHANNELS_KEPT):
        self.kind, self.rules, self.history_channels = kind, rules, history_channels
        self._made = []

    def server(self):
        """A link, and the member that has joined with it."""
        link = self.kind.server(self.rules, self.history_channels)
        self._made.append(link.leave)
        member = RecordingMember(self.rules, self.history_channels)
        link.join(member)
        return link, member

    def outsider(self):
        link = self.kind.outsider(self.rules, self.history_channels)
        self._made.append(getattr(link, "close", lambda: None))
        return link

    def end(self):
        for leave in reversed(self._made):
            leave()


class OneProcess:
    """A sequencer, and queues beside it. Stands in for a hub."""

    def __init__(self):
        self.hub = None

    def server(self, rules, history_channels):
        self.hub = self.hub or _PlainHub(rules, history_channels)
        return _PlainHubLink(self.hub)

    outsider = server


class _PlainHub:
    def __init__(self, rules, history_channels):
        self.sequencer = Sequencer(rules, history_channels)
        self.queues = {}
        self.members = []
        self.had_servers = False


class _PlainHubLink:
    def __init__(self, hub):
        self.hub = hub
        self.address = new_address()
        self._queue, self._is_filled = deque(), Event()
        self._greenlet = None

    def join(self, member):
        member.begin(self.hub.sequencer.log.image(0.0))
        self.hub.members.append(member)
        self.hub.queues[self.address] = self._put
        self.hub.had_servers = True
        self._greenlet = gevent.spawn(self._run, member)

    def _put(self, item):
        self._queue.append(item)
        self._is_filled.set()

    def _run(self, member):
        while self._is_filled.wait():
            while self._queue:
                is_envelope, item = self._queue.popleft()
                (member.receive if is_envelope else member.entry)(item)
                member.wait_for_room()
            self._is_filled.clear()

    def leave(self):
        if self._greenlet is None:
            return
        self.hub.queues.pop(self.address, None)
        self._greenlet.kill()
        for other in self.hub.members:
            other.gone(self.address)

    def sequence(self, proposal):
        sequenced, entry = self.hub.sequencer.sequence(proposal)
        if entry is not None:
            for put in self.hub.queues.values():
                put((False, entry))
        return sequenced

    def send(self, address, envelope):
        self.hub.queues.get(address, lambda item: None)((True, envelope))

    def servers(self):
        return tuple(self.hub.queues)

    def top(self):
        return self.hub.sequencer.log.top if self.hub.had_servers else None


class OneMachine:
    """The servers of one machine: the first is the hub of the others."""

    def __init__(self, directory):
        self.directory = directory

    def server(self, rules, history_channels):
        config = Config(runtime_dir=str(self.directory), history_channels=history_channels)

        def open_bus(hub):
            bus = BusServer(lambda command: Receipt(), config, hub=hub)
            bus.start()
            return bus.stop

        return LocalLink(config, rules, new_address(), open_bus)


class ThroughRedis:
    def __init__(self, redis, **settings):
        self.settings = {"broker": redis.url, "broker_prefix": new_epoch(), **settings}

    def config(self, history_channels):
        return Config(history_channels=history_channels, **self.settings)

    def server(self, rules, history_channels):
        return RedisLink(self.config(history_channels), rules)

    def outsider(self, rules, history_channels):
        return SyncClient(self.config(history_channels), rules)


def cluster_through(redis, history_channels=CHANNELS_KEPT, rules=None, **settings):
    return Cluster(ThroughRedis(redis, **settings), rules or some_rules(), history_channels)
