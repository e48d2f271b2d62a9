"""Servers with nothing but presence: several of them in one process, joined by a real link."""

from __future__ import annotations

import json
from contextlib import contextmanager

from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.local.local_link import LocalLink
from realtime_wall.brokers.member import Broker
from realtime_wall.brokers.node_id import new_address
from realtime_wall.channels.names import PRESENCE
from realtime_wall.channels.resume import CatchUp
from realtime_wall.channels.rules import Rules
from realtime_wall.control.unix_server import BusServer
from realtime_wall.presence.tracker import Presence
from realtime_wall.sockets.dispatch.inbox import Pool
from realtime_wall.sockets.registry import connected_sockets
from tests.fakes import RecordingTransport
from tests.live import wait_for


def who(socket, channel):
    """Whom a test has made of a socket."""
    name = socket.context.get("name")
    return None if name is None else {"id": name}


class Server:
    """What a node is to presence, and to sockets."""

    channels_per_connection = 100

    def __init__(self, config, link=LocalLink, grace=0.0):
        self.rules = Rules({"room*": {"PRESENCE": who}})
        self.pool = Pool(10, 10)
        self._config = config
        self.address = new_address()
        if link is LocalLink:
            made = LocalLink(config, self.rules, self.address, self._open_bus)
        else:
            made = link(config, self.rules, self.address)
        self.broker = Broker(self.rules, 100, made, self)
        self.presence = Presence(self.broker, self.rules, grace, self.publish_event)
        self.broker.join()
        self.presence.start()

    def _open_bus(self, hub):
        bus = BusServer(lambda command: router.perform(self.broker.calls, command), self._config, hub=hub)
        bus.start()
        return bus.stop

    def leave(self):
        self.presence.stop()
        self.broker.leave()

    def come_up_to(self, since):
        """It is there already."""

    def publish_event(self, channel, data_json, event, key):
        command = Publish(
            channel=channel, data_json=data_json, event=event, counted=False, idempotency_key=key
        )
        self.broker.link.sequence(proposal(command, self.address))

    # As the broker's server

    def entered(self, entry):
        if entry.item.channel == PRESENCE:
            self.presence.apply(entry)
        else:
            self.presence.published(entry)

    def wait_for_room(self):
        pass

    def gone(self, address):
        self.presence.server_gone(address)

    def start_afresh(self, before):
        self.presence.rejoin()

    def end(self):
        raise AssertionError("nobody asked it to end")

    # As a socket's node

    def subscribe(self, transport, channels, since):
        for channel in channels:
            self.presence.subscribed(transport, channel)
        return CatchUp([], self.broker.top)

    def unsubscribe(self, transport, channel):
        self.presence.unsubscribed(transport, channel)

    # For tests

    def come(self, name, channel="room"):
        client = RecordingTransport(self, f"{self.address}.{name}", everyone=False)
        connected_sockets.remove(client.socket)
        client.socket.context["name"] = name
        assert client.socket.subscribe(channel)
        return client

    @staticmethod
    def go(client):
        for channel in client.socket.channels:
            client.socket.unsubscribe(channel)

    @property
    def events(self):
        return self.events_of("room")

    def events_of(self, channel):
        """What is in the log: clients hear it, or when they come back."""
        return [
            (one.event, json.loads(one.data_json)["person"]["id"]) for one in self.broker.newest(channel, 99)
        ]

    def people(self, channel="room"):
        return [one["id"] for one in self.presence.people(channel, 10)]


@contextmanager
def running(config, count=2, **options):
    servers = []
    try:
        for _ in range(count):
            servers.append(Server(config, **options))
        wait_for(lambda: all(len(one.broker.link.servers()) >= count for one in servers))
        yield servers
    finally:
        for server in reversed(servers):
            server.leave()


def people_sent_to(client):
    """The people that a client was sent when it came."""
    wait_for(lambda: client.sent, "the event 'presence'")
    (name, data, reply_id), *more = client.sent
    assert (name, reply_id, more) == ("presence", None, [])
    return [one["id"] for one in data["people"]]
