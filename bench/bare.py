"""The control: accept connections, and when told so send bytes to each of them in a bare loop.

The loop is C (``send_loop.c``), compiled when the control starts; where there is no compiler it is Python's,
and who asks is told which it is. Either waits for a client whose socket is full, and then goes on.
"""

from __future__ import annotations

import array
import ctypes
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).with_name("send_loop.c")
# Seconds for a client to read what its socket is full of.
PATIENCE = 60.0


class PythonLoop:
    name = "a loop of send in Python"

    def room(self, connections: list[socket.socket]) -> Callable[[bytes], None]:
        """What sends to these."""

        def send(data: bytes) -> None:
            for connection in connections:
                try:
                    taken = connection.send(data)
                except BlockingIOError:
                    taken = 0
                if taken != len(data):
                    self._send_rest(connection, data[taken:])

        return send

    def _send_rest(self, connection: socket.socket, data: bytes) -> None:
        connection.settimeout(PATIENCE)
        connection.sendall(data)
        connection.setblocking(False)


class CLoop:
    name = "a loop of send in C"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._send_all = library.send_all

    def room(self, connections: list[socket.socket]) -> Callable[[bytes], None]:
        """What sends to these."""
        sockets = array.array("i", [connection.fileno() for connection in connections])
        patience = int(PATIENCE * 1000)

        def send(data: bytes) -> None:
            address, count = sockets.buffer_info()
            failed = self._send_all(ctypes.c_void_p(address), count, data, len(data), patience)
            if failed != -1:
                raise RuntimeError(f"descriptor {failed} has gone, or does not read")

        return send


def best_loop() -> CLoop | PythonLoop:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return PythonLoop()
    with tempfile.TemporaryDirectory(prefix="rwbench") as directory:
        library = Path(directory, "send_loop.so")
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
        if subprocess.run(command, capture_output=True).returncode:
            return PythonLoop()
        return CLoop(ctypes.CDLL(str(library)))


def pump(send: Callable[[bytes], None], interval: float, count: int, size: int) -> None:
    """So many messages at a steady rate, each with the time at which it was to be sent."""
    begun = time.monotonic()
    for number in range(count):
        due = begun + number * interval
        time.sleep(max(due - time.monotonic(), 0))
        send(b'{"message":%.6f,' % due + b" " * size)


def main(port: int) -> None:
    loop = best_loop()
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    audience: list[socket.socket] = []
    new: dict[int, socket.socket] = {}
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                connection, _address = listener.accept()
                new[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            connection = new.pop(fd)
            poll.unregister(fd)
            said = connection.recv(65536)
            if said.startswith(b"send "):
                _, count, size = said.split()
                send = loop.room(audience)
                for _ in range(int(count)):
                    send(b"x" * int(size))
                connection.sendall(loop.name.encode())
                connection.close()
            elif said.startswith(b"pump "):
                _, rate, count, size = said.split()
                connection.close()
                pump(loop.room(audience), 1 / int(rate), int(count), int(size))
            elif said.startswith(b"listen"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setblocking(False)
                audience.append(connection)
            else:
                connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
