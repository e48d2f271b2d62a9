"""Tells the pages of the machine's other servers what the feeding one publishes.

A server publishes to its own clients; the others are asked over their bus, by a greenlet of its own, so
that a server that has stopped answering holds up nobody else.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
from collections import deque
from io import BufferedRWPair
from pathlib import Path
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall import publish as publish_here
from realtime_wall.brokers import runtime_dir
from realtime_wall.brokers.command import Publish, to_json
from realtime_wall.config import Config
from realtime_wall.sockets.arguments import encode_args

logger = logging.getLogger(__name__)

WAITING = 10_000  # messages; a server that is further behind has its pages read them from the database
LOOK_EVERY = 1.0  # for servers that have come or gone
TIMEOUT = 5.0
REST = 30.0  # for one that does not answer
TOGETHER = 100


class Relay:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._own = f"{os.getpid()}.sock"
        self._others: dict[Path, _Server] = {}
        self._looked_at = -LOOK_EVERY

    def publish(self, channel: str, data: Any, event: str, event_id: str) -> None:
        """Here and there; what goes wrong there is logged, not raised."""
        publish_here(channel, data, event=event, event_id=event_id)
        if monotonic() - self._looked_at >= LOOK_EVERY:
            self._look()
        if self._others:
            text = encode_args((data,)).data_json
            command = Publish(channel=channel, data_json=text, event=event, event_id=event_id, counted=False)
            line = json.dumps(to_json(command)).encode() + b"\n"
            for server in self._others.values():
                server.tell(line)

    def stop(self) -> None:
        for server in self._others.values():
            server.stop()
        self._others.clear()

    def _look(self) -> None:
        self._looked_at = monotonic()
        found = {path for path in runtime_dir.sockets(self._config) if path.name != self._own}
        for path in self._others.keys() - found:
            self._others.pop(path).stop()
        for path in found - self._others.keys():
            self._others[path] = _Server(path)


class _Server:
    """Another one, and what is still to be told to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: deque[bytes] = deque(maxlen=WAITING)
        self._arrived = Event()
        self._stream: BufferedRWPair | None = None
        self._greenlet = gevent.spawn(self._tell_all)

    def tell(self, line: bytes) -> None:
        self._waiting.append(line)
        self._arrived.set()

    def stop(self) -> None:
        self._greenlet.kill(block=False)

    def _tell_all(self) -> None:
        try:
            while True:
                self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    self._tell_some()
        finally:
            self._hang_up()

    def _tell_some(self) -> None:
        lines = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
        try:
            stream = self._stream or self._call()
            stream.write(b"".join(lines))
            stream.flush()
            for _ in lines:
                answer = stream.readline(64 * 1024)
                if b'"receipt"' not in answer:
                    raise OSError(f"it answered {answer[:200]!r}")
        except ConnectionRefusedError:
            self._hang_up()  # it was killed; its socket is taken away by whoever publishes next
            self._path.unlink(missing_ok=True)
        except OSError as problem:
            self._hang_up()
            logger.warning("the pages of the server at %s may have missed posts: %s", self._path, problem)
            gevent.sleep(REST if isinstance(problem, TimeoutError) else LOOK_EVERY)

    def _call(self) -> BufferedRWPair:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(os.fspath(self._path))
            stream = connection.makefile("rwb")
        finally:
            connection.close()  # the stream holds it open
        self._stream = stream
        return stream

    def _hang_up(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._stream = None
