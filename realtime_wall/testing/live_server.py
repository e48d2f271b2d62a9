"""The live site on a port, in a thread of the test process: for browsers, and whatever else needs an address.

It is Django's own thread for that with our server in it, so it finds the test's database in the same way. The
public verbs, said in the thread of the test, are done by this server.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import gevent
from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test.testcases import LiveServerTestCase, LiveServerThread
from gevent import monkey
from gevent import socket as cooperative
from gevent.event import Event

from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Command
from realtime_wall.brokers.questions import Question
from realtime_wall.config import current as config
from realtime_wall.control import isolation
from realtime_wall.server import asyncio_per_greenlet
from realtime_wall.testing.network import Network
from realtime_wall.testing.site import QuietServer, SiteUnderTest, TestedNode

# How long a thread waits for the other, in seconds.
PATIENCE = 10.0


class RealtimeServerThread(LiveServerThread):
    """``site`` is what a test has of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.site = ServedSite()
        self._over: Event | None = None

    def run(self) -> None:
        for alias, connection in (self.connections_override or {}).items():
            connections[alias] = connection
        try:
            self._serve()
        except Exception as problem:
            self.error = problem  # type: ignore[assignment]
            self.is_ready.set()
        finally:
            connections.close_all()
            if not monkey.is_module_patched("threading"):
                gc.collect()  # what closes its socket as it is collected needs the loop
                gevent.get_hub().destroy(destroy_loop=True)

    def _serve(self) -> None:
        self._over = stop = Event()
        asyncio_per_greenlet.install()
        try:
            self.port = self.site.begin(self.host, self.port)
            self.is_ready.set()
            stop.wait()
        finally:
            self.site.end()
            asyncio_per_greenlet.uninstall()

    def terminate(self) -> None:
        if self._over is not None and self.is_alive():
            self.site.drop_clients()
            self.site.loop.run_callback_threadsafe(self._over.set)
        self.join()


@contextmanager
def running_server() -> Iterator[ServedSite]:
    """For tests that are no classes: as Django's LiveServerTestCase does it."""
    shared: dict[str, Any] = LiveServerTestCase._make_connections_override()  # type: ignore[attr-defined]
    for connection in shared.values():
        connection.inc_thread_sharing()
    thread = RealtimeServerThread("localhost", None, connections_override=shared)
    thread.daemon = True
    thread.start()
    try:
        thread.is_ready.wait()
        if thread.error is not None:
            raise thread.error
        yield thread.site
    finally:
        thread.terminate()
        for connection in shared.values():
            connection.dec_thread_sharing()


class ServedSite(SiteUnderTest):
    """Used from the thread of the test, but for its beginning and its end."""

    def begin(self, host: str, port: int) -> int:
        self._thread = threading.get_ident()
        self.loop: Any = gevent.get_hub().loop
        found = isolation.own_config(config())
        application: Any = WSGIHandler()
        if apps.is_installed("django.contrib.staticfiles"):
            from django.contrib.staticfiles.handlers import StaticFilesHandler

            application = StaticFilesHandler(application)
        self.node = TestedNode(found, self.published)
        self._http = QuietServer((host, port), application, found)  # type: ignore[arg-type]
        self.node.start()
        self._http.start()
        port = int(self._http.server_port or 0)
        self.address, self.host = (host, port), f"{host}:{port}"
        isolation.test_server = self._perform
        return port

    def end(self) -> None:
        isolation.test_server = None
        if hasattr(self, "_http"):
            self._http.stop(timeout=1)
            self.node.end_all()

    def drop_clients(self) -> None:
        """Those of one test; what they have published is forgotten, too."""
        self._drop_clients()
        self.clients.clear()
        self.published.clear()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def settle(self) -> None:
        """What has left a client by now, and what follows from it."""
        gevent.idle()
        self._in_server(self.node.settle)
        gevent.idle()

    def _open(self, network: Network | None) -> Any:
        connection = cooperative.create_connection(self.address)
        return connection if network is None else self._through(network, connection)

    def _perform(self, asked: Command[Any] | Question) -> Any:
        if isinstance(asked, Question):
            return self._in_server(lambda: list(router.answers(self.node.broker.calls, asked)))
        return self._in_server(lambda: self.node.perform(asked))

    def _in_server(self, function: Callable[[], Any]) -> Any:
        """Call it in the server's thread, in a greenlet that may wait."""
        if threading.get_ident() == self._thread:
            return function()
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as problem:
                done.set_exception(problem)

        self.loop.run_callback_threadsafe(gevent.spawn, run)
        return done.result(PATIENCE)
