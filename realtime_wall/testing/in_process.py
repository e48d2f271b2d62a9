"""The live site in the process of its tests: a server without a port, and clients without a network.

What a client sends takes the whole way of production: HTTP, URLconf, middleware, session, hand-over, frames,
receivers. Only the two ends of each connection are in one process. All of it runs in the thread of the test,
and while that waits: so receivers are in the test's transaction, and nothing has to be waited for twice.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from realtime_wall.config import current as config
from realtime_wall.control import isolation
from realtime_wall.server import asyncio_per_greenlet
from realtime_wall.testing import network as networks
from realtime_wall.testing.movable_clock import MovableClock
from realtime_wall.testing.network import Network
from realtime_wall.testing.site import QuietServer, SiteUnderTest, TestedNode


class Realtime(SiteUnderTest):
    """What a test does with the live site; begin it by ``with``, or ``start()`` and ``stop()``."""

    def start(self) -> Realtime:
        found = isolation.own_config(config())
        for signal in (request_started, request_finished):  # the database connection is the test's
            signal.disconnect(close_old_connections)
        asyncio_per_greenlet.install()
        self.node = TestedNode(found, self.published)
        self.clock = MovableClock(self.node.timer_wheel, self.settle)
        self._http = QuietServer((self.host, 80), WSGIHandler(), found)  # type: ignore[arg-type]
        self._http.environ.update(SERVER_NAME=self.host, SERVER_PORT="80")
        self.node.start()
        return self

    def stop(self) -> None:
        """Let everybody go, and the receivers that follow run."""
        self._drop_clients()
        self.node.end_all()
        self.clock.restore()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        asyncio_per_greenlet.uninstall()

    def __enter__(self) -> Realtime:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def settle(self) -> None:
        self.node.settle(lambda: any(one.is_busy for one in self.networks))

    def _open(self, network: Network | None) -> Any:
        near, far = networks.pair()
        self._http.do_handle(far, ("127.0.0.1", 0))
        return near if network is None else self._through(network, near)
