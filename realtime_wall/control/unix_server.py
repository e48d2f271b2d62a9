"""The server's end of the bus: other processes of this machine publish through it.

A Unix socket takes commands as JSON, one a line, and answers each with a line. A question is answered with
any number of lines, until there are no more or who has asked is gone. Whatever else arrives is counted,
answered with an error and dropped: the listener survives it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, cast

import gevent
from django.db import connections
from gevent.event import Event
from gevent.server import StreamServer

from realtime_wall.brokers.command_json import from_json
from realtime_wall.brokers.commands import Command
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.local.hub_connection import HubConnection
from realtime_wall.brokers.local.peer_credentials import is_trusted
from realtime_wall.brokers.questions import Question
from realtime_wall.brokers.results import error_to_json, result_to_json
from realtime_wall.config import Config
from realtime_wall.errors import RealtimeWallError
from realtime_wall.protocol.json_input import load_json
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.wire.not_for_forks import not_for_forks

log = logging.getLogger(__name__)

# JSON escapes may make a message of the greatest size six times as long, plus its frame.
ESCAPED = 6
COMMAND_DEPTH = 1  # a flat object
JOIN = re.compile(rb'\{"verb": "Join", "address": "([A-Za-z0-9_]{8})"\}\n')


class ByteStream(Protocol):
    """A file of a connection."""

    def read(self, size: int, /) -> bytes: ...
    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> None: ...


class BusServer:
    def __init__(
        self,
        perform: Callable[[Command[Any]], Any],
        config: Config,
        answers: Callable[[Question], Iterator[Any]] = lambda question: iter(()),
        hub: Hub | None = None,
    ) -> None:
        self._perform = perform
        self._answers = answers
        self._hub = hub
        self._config = config
        self._server: StreamServer | None = None
        self._max_line = config.message_size * ESCAPED + 4096
        self.path: Path | None = None
        self.rejected = 0
        self._members: set[socket.socket] = set()

    def start(self) -> None:
        directory = runtime_dir.create(self._config)
        # Nobody looks for this name, and until it listens it would be taken for a dead server's.
        path = directory / f"{os.getpid()}.new"
        path.unlink(missing_ok=True)  # of an earlier process with our id, long gone
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.fspath(path))
        if self._config.bus_group:
            os.chown(path, -1, runtime_dir.group_id(self._config.bus_group))
            os.chmod(path, 0o660)
        else:
            os.chmod(path, 0o600)
        listener.listen(128)
        listener.setblocking(False)
        self.path = path.rename(path.with_suffix(".sock"))
        self._server = StreamServer(listener, self._serve)
        self._server.start()
        not_for_forks(self)

    def fileno(self) -> int:
        """Where it listens."""
        return -1 if self._server is None or self._server.closed else int(self._server.socket.fileno())

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for member in list(self._members):  # it need not wait for them: they see that it ends
                with contextlib.suppress(OSError):
                    member.shutdown(socket.SHUT_RDWR)
            self._server.stop(timeout=1)
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _serve(self, connection: socket.socket, _: object) -> None:
        not_for_forks(connection)
        if not self._may_publish(connection):
            log.warning("another Unix user tried to publish on %s", self.path)
            return
        with contextlib.suppress(ConnectionError), connection.makefile("rwb") as stream:
            while line := stream.readline(self._max_line):
                server = JOIN.fullmatch(line)
                if server is not None and self._hub is not None:
                    self._members.add(connection)
                    try:
                        return HubConnection(self._hub, connection, server[1].decode()).serve(stream)
                    finally:
                        self._members.discard(connection)
                command = self._read(line)
                if isinstance(command, Question):
                    return self._answer(stream, command)
                _write(stream, command if isinstance(command, dict) else self._result(command))
                if not line.endswith(b"\n"):
                    return

    def _may_publish(self, connection: socket.socket) -> bool:
        if self._config.bus_group:
            return True  # the modes of the directory and the socket have decided
        return is_trusted(connection)

    def _read(self, line: bytes) -> Command[Any] | Question | dict[str, Any]:
        """What a line asks for, or the answer that it asks for nothing."""
        try:
            return cast("Command[Any] | Question", from_json(load_json(line.decode(), COMMAND_DEPTH)))
        except ValueError as problem:
            self.rejected += 1
            log.info("the bus dropped a line that is no command: %s", problem)
            return {"error": "Rejected", "message": str(problem)[:200]}

    def _answer(self, stream: ByteStream, question: Question) -> None:
        """Answer a question until all is answered, or nobody listens any more."""
        over = Event()
        both: list[gevent.Greenlet[..., Any]] = [
            gevent.spawn(self._write_answers, stream, question),
            gevent.spawn(stream.read, 1),  # nothing more comes: it ends with the connection
        ]
        for greenlet in both:
            greenlet.link(lambda _: over.set())
        try:
            over.wait()
        finally:
            gevent.killall(both)

    def _write_answers(self, stream: ByteStream, question: Question) -> None:
        with contextlib.suppress(OSError):
            try:
                for item in self._answers(question):
                    _write(stream, {"item": item})
            except RealtimeWallError as problem:
                _write(stream, error_to_json(problem))
            finally:
                connections.close_all()

    def _result(self, command: Command[Any]) -> dict[str, Any]:
        try:
            return result_to_json(self._perform(command))
        except RealtimeWallError as problem:
            return error_to_json(problem)
        except Exception as problem:
            log.exception("a command from the bus failed")
            return error_to_json(problem)
        finally:
            connections.close_all()  # of this greenlet: a command may have asked the session store


def _write(stream: ByteStream, value: dict[str, Any]) -> None:
    stream.write(encode_json(value, bytes_as_text=True).encode() + b"\n")
    stream.flush()
