"""How does a connection get to another server of this machine? Its descriptor is passed (SCM_RIGHTS).

Each server has a Unix socket for that. It takes a descriptor and what was read of its connection: a line of
JSON that says who is at the other end and how many bytes follow, and those bytes. Whatever else arrives is
counted and dropped.
"""

from __future__ import annotations

import array
import contextlib
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
from gevent.server import StreamServer

from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.local.peer_credentials import is_trusted
from realtime_wall.config import Config
from realtime_wall.server.affinity.owner_routing import PassedConnection, peer_from_json
from realtime_wall.server.http.client_socket import ClientSocket
from realtime_wall.wire.not_for_forks import not_for_forks

log = logging.getLogger(__name__)

# Seconds in which a connection has to be passed on; it takes less than a millisecond.
PATIENCE = 2.0
# How many may be on their way in at once.
AT_ONCE = 100
LONGEST_LINE = 512
# What a server has read ahead of a request's head is less.
READ_AHEAD = 64 * 1024
# Descriptors are made private to this process where the system can do so at once.
CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
FD = array.array("i").itemsize

Take = Callable[[Any, PassedConnection], None]


class FdPassing:
    def __init__(self, config: Config, address: str) -> None:
        self._config = config
        self._address = address
        self._directory = runtime_dir.project_dir(config)
        self._limit = config.head_size + READ_AHEAD
        self._server: StreamServer | None = None
        self._take: Take | None = None
        self.path: Path | None = None
        self.rejected = 0

    def start(self, take: Take) -> None:
        """Open it: whatever comes in is given to ``take``, which owns the connection then."""
        directory = runtime_dir.create(self._config)
        remove_stale(directory)
        listener = socket.socket(socket.AF_UNIX)
        # Under its name only when somebody listens: one that nobody listens at is taken for a dead server's.
        new = directory / f"{self._address}.new"
        listener.bind(os.fspath(new))
        os.chmod(new, 0o600)
        listener.listen(1024)
        listener.setblocking(False)
        self._take = take
        self._server = StreamServer(listener, self._serve, spawn=AT_ONCE)
        self._server.start()
        not_for_forks(self)
        self.path = directory / f"{self._address}.fds"
        new.rename(self.path)

    def fileno(self) -> int:
        """Where it listens."""
        return -1 if self._server is None or self._server.closed else int(self._server.socket.fileno())

    def stop(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.stop(timeout=1)

    # In

    def _serve(self, unix_socket: Any, _: object) -> None:
        not_for_forks(unix_socket)
        if not is_trusted(unix_socket):
            log.warning("another Unix user connected to %s", self.path)
            return
        try:
            with gevent.Timeout(PATIENCE, TimeoutError("it took too long")):
                received = self._receive(unix_socket)
        except (OSError, ValueError, LookupError, TypeError) as problem:
            self.rejected += 1
            log.info("what was passed is no connection: %s", problem)
            return
        if received is not None and self._take is not None:
            self._take(*received)

    def _receive(self, unix_socket: Any) -> tuple[Any, PassedConnection] | None:
        # Room for one descriptor: the system closes what is too much.
        data, extra, _, _ = unix_socket.recvmsg(self._limit, socket.CMSG_LEN(FD), CLOSE_ON_EXEC)
        if not data and not extra:
            return None  # somebody wanted to know whether we are there
        fds = array.array("i")
        for level, kind, content in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(content[: len(content) - len(content) % FD])
        with contextlib.ExitStack() as on_failure:
            for fd in fds:
                on_failure.callback(os.close, fd)
            (fd,) = fds
            connection = not_for_forks(ClientSocket(fileno=fd))
            on_failure.pop_all()
            on_failure.callback(connection.close)
            _check_kind(connection)
            passed = self._read(unix_socket, data)
            on_failure.pop_all()
        return connection, passed

    def _read(self, unix_socket: Any, data: bytes) -> PassedConnection:
        while (end := data.find(b"\n")) < 0 and len(data) <= LONGEST_LINE:
            data += _more(unix_socket)
        if not 0 <= end <= LONGEST_LINE:
            raise ValueError("it begins with no line")
        header = json.loads(data[:end])
        size, arrived = header["size"], data[end + 1 :]
        if not 0 <= size <= self._limit:
            raise ValueError(f"{size} bytes are too many")
        while len(arrived) < size:
            arrived += _more(unix_socket)
        if len(arrived) > size:
            raise ValueError("more follows than announced")
        return PassedConnection(peer_from_json(header["peer"]), arrived)

    # Out

    def carry(self, owner: str, connection: Any, passed: PassedConnection) -> bool:
        """Pass a connection on to another server of this machine."""
        path = f"{self._directory}/{owner}.fds"
        line = json.dumps({"peer": passed.peer, "size": len(passed.arrived)}).encode() + b"\n"
        fds = array.array("i", [connection.fileno()])
        with not_for_forks(gevent.socket.socket(socket.AF_UNIX)) as unix_socket:
            try:
                _connect(unix_socket, path)
                if not is_trusted(unix_socket):
                    log.warning("%s is another Unix user's", path)
                    return False
                data = line + passed.arrived
                sent = unix_socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
                unix_socket.sendall(data[sent:])
            except OSError as problem:
                log.debug("server %s takes no connections: %s", owner, problem)
                return False
        return True


def _connect(unix_socket: Any, path: str) -> None:
    """Connect at once or not at all: OSError when the server is gone, or behind with what it was passed."""
    unix_socket.settimeout(0)
    try:
        unix_socket.connect(path)
    except ConnectionRefusedError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # of a server that was killed
        raise
    unix_socket.settimeout(PATIENCE)


def remove_stale(directory: Path) -> None:
    """Remove the sockets of servers that were killed."""
    for path in directory.glob("*.fds"):
        with gevent.socket.socket(socket.AF_UNIX) as unix_socket, contextlib.suppress(OSError):
            _connect(unix_socket, os.fspath(path))


def _check_kind(connection: Any) -> None:
    is_stream = connection.type == socket.SOCK_STREAM
    if not is_stream or connection.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        raise ValueError("it is no connection that a server accepts")


def _more(unix_socket: Any) -> bytes:
    data: bytes = unix_socket.recv(READ_AHEAD)
    if not data:
        raise ValueError("it was cut short")
    return data
