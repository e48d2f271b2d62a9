"""A live site that is tested: who connects to it, and what it has published."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import gevent
from django.test import Client as DjangoClient
from django.urls import reverse

from realtime_wall.brokers.entry import Entry
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.config import Config
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import Node
from realtime_wall.server.http.handler import Handler
from realtime_wall.server.http.http_server import HTTPServer
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.testing.carriers import Endpoint
from realtime_wall.testing.client import ONE_WAY, PATIENCE, TRANSPORTS, RealtimeClient, Received
from realtime_wall.testing.network import Network, pair
from realtime_wall.transports.engineio.session import sessions

ANY = object()
EVENTS = "realtime_wall:realtime_wall_channels:"
VIEWS = {
    "websocket": "realtime_wall:websocket",
    "socketio": "realtime_wall:socketio",
    "socketio_polling": "realtime_wall:socketio",
    "channel_websocket": f"{EVENTS}ws",
    "eventsource": f"{EVENTS}ev",
    "stream": f"{EVENTS}sub",
    "long_polling": f"{EVENTS}lp",
}


class SiteUnderTest:
    """What there is of a site in the process of the tests, and of one that listens on a port."""

    host = "testserver"
    node: TestedNode

    def __init__(self) -> None:
        self.clients: list[RealtimeClient] = []
        self.networks: set[Network] = set()
        self._connections: list[Any] = []  # to be closed in the end
        self.published: list[Received] = []  # everything, on all channels and to everyone

    def _open(self, network: Network | None) -> Any:
        """A connection to the server."""
        raise NotImplementedError

    def settle(self) -> None:
        """Let everything happen that is under way: requests, receivers, deliveries."""
        raise NotImplementedError

    def _through(self, network: Network, connection: Any) -> Any:
        """The client's end of a connection that the network is in."""
        self.networks.add(network)
        near, far = pair()
        network.join(far, connection)
        self._connections += (far, connection)
        return near

    def _drop_clients(self) -> None:
        for network in self.networks:
            network.cut()
        for client in self.clients:
            client.drop()
        self.settle()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    # Clients

    def connect(
        self,
        transport: str = "websocket",
        *,
        channels: Sequence[str] = (),
        user: Any = None,
        client: DjangoClient | None = None,
        since: str | None = None,
        path: str | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        namespace: str = "/",
        auth: Any = None,
        network: Network | None = None,
        timeout: float = PATIENCE,
    ) -> RealtimeClient:
        """A client that was let in; ConnectRefused when it was not.

        ``user`` is signed in; ``client`` is Django's test client, whose cookies it has. ``channels`` it is
        subscribed to, from the cursor ``since`` on. ``namespace`` and ``auth`` are Socket.IO's.
        """
        if transport not in TRANSPORTS:
            raise ValueError(f"{transport!r} is no transport; there are {', '.join(TRANSPORTS)}")
        address = Endpoint(
            lambda: self._remembered(self._open(network)),
            self.host,
            path or _path(transport, channels),
            {**_QUERY.get(transport, {"since": since} if since else {}), **(query or {})},
            {"Origin": f"http://{self.host}", **_cookies(user, client), **(headers or {})},
        )
        poll_path = reverse(f"{EVENTS}poll", args=["/".join(channels)]) if transport == "long_polling" else ""
        made = RealtimeClient(
            transport,
            address,
            channels=channels,
            since=since,
            namespace=namespace,
            auth=auth,
            poll_path=poll_path,
            settle=self.settle,
            network=network,
            timeout=timeout,
        )
        self.clients.append(made)
        return made

    def _remembered(self, connection: Any) -> Any:
        self._connections.append(connection)
        return connection

    # What was published

    def assert_broadcast(
        self, event: str | None = None, data: Any = ANY, *, channel: str | None = None
    ) -> Received:
        """Something was published, or broadcast, that fits; the first such."""

        def fits(one: Received) -> bool:
            return (
                (event is None or one.event == event)
                and (data is ANY or one.data == data)
                and (channel is None or one.channel == channel)
            )

        self.settle()
        for one in self.published:
            if fits(one):
                return one
        raise AssertionError(f"not among what was published: {self.published or 'nothing'}")

    def assert_nothing_broadcast(self, *, channel: str | None = None) -> None:
        self.settle()
        found = [one for one in self.published if channel is None or one.channel == channel]
        assert not found, f"published: {found}"


class _QuietHandler(Handler):
    def log_request(self) -> None:
        """A test's output is its own; what fails is logged by Django."""


class QuietServer(HTTPServer):
    handler_class = _QuietHandler


class TestedNode(Node):
    """A server that is joined to no other, and remembers what was published."""

    __test__ = False  # for pytest, which looks at names

    def __init__(self, config: Config, published: list[Received]) -> None:
        super().__init__(config)
        queries.register(self)
        self._recorded = published

    def entered(self, entry: Entry) -> None:
        if isinstance(entry.item, Message):
            self._recorded.append(_received(entry.item))
        super().entered(entry)

    def settle(self, is_busy: Callable[[], bool] = lambda: False) -> None:
        deadline, quiet = monotonic() + PATIENCE, 0
        while quiet < 3 and monotonic() < deadline:
            gevent.idle()
            if self.pool.busy or self.delivered_position() != self.broker.top or is_busy():
                quiet = 0
                gevent.sleep(0.001)
            else:
                quiet += 1

    def end_all(self) -> None:
        """Let everybody go who is still there, and the receivers that follow run; then stop."""
        for socket in connected_sockets:
            session_of(socket).transport.abort("the test has ended")
        for listener in list(self.listeners):
            listener.end("the test has ended")
        self.detached_sessions.close()
        self.pool.wait_until_idle(PATIENCE)
        self.stop()
        for socket in connected_sockets:
            connected_sockets.remove(socket)
        sessions.clear()


def _received(message: Message) -> Received:
    channel = None if message.channel == EVERYONE else message.channel
    return Received(message.event or "message", json.loads(message.data_json), channel, str(message.position))


_QUERY = {
    "socketio": {"EIO": "4", "transport": "websocket"},
    "socketio_polling": {"EIO": "4", "transport": "polling"},
}


def _path(transport: str, channels: Sequence[str]) -> str:
    if transport in ONE_WAY:
        if not channels:
            raise ValueError(f"{transport} listens to channels: connect({transport!r}, channels=[...])")
        return reverse(VIEWS[transport], args=["/".join(channels)])
    return reverse(VIEWS[transport])


def _cookies(user: Any, client: DjangoClient | None) -> dict[str, str]:
    if user is not None:
        client = DjangoClient()
        client.force_login(user)
    if client is None or not client.cookies:
        return {}
    return {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}
