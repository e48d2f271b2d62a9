"""Several servers in the process of the tests: they share a hub, and what they send each other is JSON."""

from __future__ import annotations

import json
from contextlib import contextmanager
from time import monotonic

from realtime_wall.config import from_mapping
from realtime_wall.node import session_migration
from realtime_wall.node.node import Node
from realtime_wall.sockets.registry import connected_sockets


class NeighbourLink:
    """From a server to the hub of the first one; it can be behind (``hold``), and ``deaf``."""

    def __init__(self, first, address):
        self.address = address
        self.deaf = False
        self.envelopes = []  # what came for it
        self._first = first
        self._held = None

    @property
    def hub(self):
        return self._first.broker.link

    def sequence(self, proposal):
        return self.hub.sequence(proposal)

    def send(self, address, envelope):
        self.hub.send(address, json.loads(json.dumps(envelope)))

    def servers(self):
        return self.hub.servers()

    def top(self):
        return self.hub.log.top

    def join(self, member):
        self._member = member
        member.begin(self.hub.log.image(monotonic()))
        self.hub.add(self.address, self)

    def leave(self):
        self.hub.remove(self.address)

    # As the hub's peer

    def entry(self, entry):
        if self._held is None:
            self._member.entry(entry)
        else:
            self._held.append(entry)

    def receive(self, envelope):
        self.envelopes.append(envelope)
        if not self.deaf:
            self._member.receive(json.loads(json.dumps(envelope)))

    def servers_changed(self, servers):
        """It looks itself."""

    def hold(self):
        """Be behind with the entries."""
        self._held = []

    def release(self):
        held, self._held = self._held, None
        for entry in held:
            self._member.entry(entry)


@contextmanager
def running_nodes(count=2, **settings):
    """That many servers; the first has the hub. Their links are ``node.broker.link``."""
    config = from_mapping({key.upper(): value for key, value in settings.items()})
    nodes = []
    try:
        for _ in range(count):
            connect = (lambda rules, address: NeighbourLink(nodes[0], address)) if nodes else None
            nodes.append(Node(config, connect))
            session_migration.register(nodes[-1])
            nodes[-1].start()
        yield nodes
    finally:
        for node in reversed(nodes):
            node.pool.wait_until_idle(10)
            node.stop()
        for socket in connected_sockets:
            connected_sockets.remove(socket)
