"""Which listening socket did whoever started this process open for it?

systemd passes the sockets of a ``.socket`` unit as file descriptors from 3 on, and says in the environment
how many, and to which process (sd_listen_fds(3)). One of them is served.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from realtime_wall.server.bind_address import Address, BadAddress

FIRST_FD = 3
# The reloader's child is another process than the one that systemd means: it gets the descriptor's number.
PASSED_ON = "REALTIME_WALL_LISTEN_FD"
_ACTIVATION = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def take(environ: MutableMapping[str, str] = os.environ) -> tuple[socket.socket, Address] | None:
    """The socket and its address, once; None when there is none. :class:`BadAddress` for another kind."""
    fd = _descriptor(environ)
    if fd is None:
        return None
    listener = opened(fd)
    os.set_inheritable(fd, False)
    return listener, address_of(listener)


def pass_on(environ: MutableMapping[str, str]) -> None:
    """Let a child that is started with this environment take the socket instead."""
    fd = _descriptor(environ)
    if fd is not None:
        os.set_inheritable(fd, True)
        environ[PASSED_ON] = str(fd)


def opened(fd: int) -> socket.socket:
    """The listening socket of a descriptor."""
    try:
        listener = socket.socket(fileno=fd)
    except (OSError, OverflowError) as problem:
        raise BadAddress(f"file descriptor {fd} is no socket: {problem}") from problem
    if listener.type != socket.SOCK_STREAM or not _is_listening(listener):
        listener.detach()  # it is not ours to close
        raise BadAddress(f"file descriptor {fd} is not a listening stream socket (Accept=no in its unit?)")
    return listener


def address_of(listener: socket.socket) -> Address:
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return Address("", 0, _printable(name))
    return Address(name[0], name[1])


def _printable(name: str | bytes) -> str:
    """A path; an abstract name is bytes and begins with a zero, which is written as @."""
    return name.decode(errors="replace").replace("\0", "@") if isinstance(name, bytes) else name


def _descriptor(environ: MutableMapping[str, str]) -> int | None:
    """Our descriptor; what says so is removed, or our own children would take it for theirs."""
    passed_on = environ.pop(PASSED_ON, "")
    pid, count, *_ = (environ.pop(name, "") for name in _ACTIVATION)
    if passed_on.isdecimal():
        return int(passed_on)
    if pid != str(os.getpid()) or not count.isdecimal() or count == "0":
        return None
    if count != "1":
        raise BadAddress(f"{count} sockets were passed and one is served: leave one ListenStream in the unit")
    return FIRST_FD


def _is_listening(listener: socket.socket) -> bool:
    return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
