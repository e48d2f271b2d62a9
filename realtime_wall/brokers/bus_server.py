"""The server's end of the bus: other processes of this machine publish through it.

A Unix socket takes commands as JSON, one a line, and answers each with a line. Whatever else arrives is
counted, answered with an error and dropped: the listener survives it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import connections
from gevent.server import StreamServer

from realtime_wall.brokers import runtime_dir
from realtime_wall.brokers.command import Answers, Ask, Command, Receipt, from_json
from realtime_wall.config import Config
from realtime_wall.errors import NoSocket, RealtimeWallError
from realtime_wall.json_text import encode_json
from realtime_wall.protocol.json_input import load_json

log = logging.getLogger(__name__)

# JSON escapes may make a message of the greatest size six times as long, plus its frame.
ESCAPED = 6
COMMAND_DEPTH = 1  # a flat object
PERSONS = struct.Struct("3i")  # pid, uid, gid: what SO_PEERCRED tells of the other end


class BusServer:
    def __init__(
        self,
        perform: Callable[[Command], Receipt],
        config: Config,
        ask: Callable[[Ask], Answers] | None = None,
    ) -> None:
        self._perform = perform
        self._ask = ask
        self._config = config
        self._server: StreamServer | None = None
        self._max_line = config.message_size * ESCAPED + 4096
        self.path: Path | None = None
        self.rejected = 0

    def start(self) -> None:
        directory = runtime_dir.create(self._config)
        path = directory / f"{os.getpid()}.sock"
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
        self.path = path
        self._server = StreamServer(listener, self._serve)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(timeout=1)
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _serve(self, connection: socket.socket, _: object) -> None:
        if not self._may_publish(connection):
            log.warning("another Unix user tried to publish on %s", self.path)
            return
        with contextlib.suppress(ConnectionError), connection.makefile("rwb") as stream:
            while line := stream.readline(self._max_line):
                stream.write(encode_json(self._answer(line), bytes_as_text=True).encode() + b"\n")
                stream.flush()
                if not line.endswith(b"\n"):
                    return

    def _may_publish(self, connection: socket.socket) -> bool:
        if self._config.bus_group or not hasattr(socket, "SO_PEERCRED"):
            return True  # the modes of the directory and the socket have decided
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PERSONS.size)
        _, uid, _ = PERSONS.unpack(credentials)
        return uid in (os.getuid(), 0)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = from_json(load_json(line.decode(), COMMAND_DEPTH))
        except ValueError as problem:
            self.rejected += 1
            log.info("the bus dropped a line that is no command: %s", problem)
            return {"error": "Rejected", "message": str(problem)[:200]}
        try:
            if not isinstance(command, Ask):
                return {"receipt": asdict(self._perform(command))}
            if self._ask is None:
                return {"error": "Rejected", "message": "this server asks nobody"}
            return {"answers": asdict(self._ask(command))}
        except NoSocket as nobody:
            return {"error": "NoSocket", "message": str(nobody)}
        except RealtimeWallError as problem:
            return {"error": type(problem).__name__, "message": str(problem)}
        except Exception as problem:
            log.exception("a command from the bus failed")
            return {"error": type(problem).__name__, "message": "the server failed; see its log"}
        finally:
            connections.close_all()  # of this greenlet: a command may have asked the session store
