"""The control: accept connections, and when told so send bytes to each of them in a bare loop."""

from __future__ import annotations

import select
import socket
import sys


def main(port: int) -> None:
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
                send_all(audience, int(count), int(size))
                connection.sendall(b"done\n")
                connection.close()
            elif said.startswith(b"listen"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setblocking(False)
                audience.append(connection)
            else:
                connection.close()


def send_all(audience: list[socket.socket], count: int, size: int) -> None:
    frame = b"x" * size
    for _ in range(count):
        for connection in audience:
            connection.send(frame)


if __name__ == "__main__":
    main(int(sys.argv[1]))
