"""The worst that may stand in front of several servers: each new connection goes to the next one in turn."""

from __future__ import annotations

import contextlib
import socket
from itertools import count

import gevent
from gevent.server import StreamServer


class NeverSticky:
    """A TCP proxy on a free port; ``connections`` says how many each server got."""

    def __init__(self, *servers):
        self.servers = servers
        self.connections = dict.fromkeys((server.port for server in servers), 0)
        self._turns = count()
        self._open = set()
        self._proxy = StreamServer(("127.0.0.1", 0), self._serve)

    @property
    def port(self):
        return self._proxy.server_port

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def cut(self):
        """All connections are gone, at both ends."""
        _cut(*self._open)

    def _serve(self, near, _):
        with near, self._next() as far:
            both = {near, far}
            self._open |= both
            try:
                gevent.joinall([gevent.spawn(_flow, near, far), gevent.spawn(_flow, far, near)])
            finally:
                self._open -= both

    def _next(self):
        """A connection to the server whose turn it is; one that is gone is passed over."""
        while True:
            port = self.servers[next(self._turns) % len(self.servers)].port
            with contextlib.suppress(ConnectionRefusedError):
                connection = socket.create_connection(("127.0.0.1", port))
                self.connections[port] += 1
                return connection

    def __enter__(self):
        self._proxy.start()
        return self

    def __exit__(self, *_):
        self.cut()
        self._proxy.stop(timeout=1)


def _flow(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        _cut(source, target)


def _cut(*connections):
    for one in connections:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
