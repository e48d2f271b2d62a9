"""Where to listen: ``8000``, ``0:8000``, ``[::1]:8000``, ``host:8000`` or ``unix:/path``."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import sys
from dataclasses import dataclass, replace

BACKLOG = 2048
_PATTERN = re.compile(
    r"(?:(?P<host>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?(?P<port>\d{1,5})", re.ASCII
)


class BadAddress(ValueError):
    """An address that cannot be listened on; says so in one line."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    path: str = ""

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.host

    @property
    def url(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"http://{f'[{self.host}]' if self.is_ipv6 else self.host}:{self.port}/"


def parse(text: str, use_ipv6: bool = False) -> Address:
    if text.startswith("unix:"):
        path = os.path.abspath(text.removeprefix("unix:"))
        if not text.removeprefix("unix:"):
            raise BadAddress("'unix:' needs a path, such as unix:/run/site/site.sock")
        return Address("", 0, path)
    match = _PATTERN.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise BadAddress(f"{text!r} is not a valid port number or address:port pair.")
    host = (match["host"] or ("[::1]" if use_ipv6 else "127.0.0.1")).strip("[]")
    if host == "0":
        host = "::" if use_ipv6 else "0.0.0.0"
    return Address(host, int(match["port"]))


def listen(address: Address) -> tuple[socket.socket, Address]:
    """A listening socket and its address (port 0 has become a free one), or :class:`BadAddress`."""
    try:
        if address.path:
            return _listen_unix(address.path), address
        listener = _listen_tcp(address)
    except OSError as problem:
        raise BadAddress(f"{address.url} cannot be listened on: {_reason(problem)}") from problem
    return listener, replace(address, port=listener.getsockname()[1])


def listen_for_each(address: Address, count: int) -> tuple[list[socket.socket], Address]:
    """A socket for each of several workers where the kernel splits clients evenly, else one for all."""
    if address.path or not sys.platform.startswith("linux"):
        listener, address = listen(address)
        return [listener], address
    # Alone first: among sockets that share a port one more is let in, another server's too.
    listener, address = listen(address)
    listener.close()
    try:
        return [_listen_tcp(address, shared=True) for _ in range(count)], address
    except OSError as problem:
        raise BadAddress(f"{address.url} cannot be listened on: {_reason(problem)}") from problem


def _listen_tcp(address: Address, shared: bool = False) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, socket.AF_INET6 if address.is_ipv6 else 0, socket.SOCK_STREAM
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _listen_unix(path: str) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
        os.chmod(path, 0o666)  # whoever can reach it may connect, as with a port: its folder decides
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: str) -> None:
    """Remove the socket of a server that was killed; leave that of a running one, and any other file."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)


# The words of Django's runserver.
_REASONS = {
    errno.EADDRINUSE: "that port is already in use.",
    errno.EACCES: "you don't have permission to access that port.",
    errno.EADDRNOTAVAIL: "that IP address can't be assigned to.",
}


def _reason(problem: OSError) -> str:
    return _REASONS.get(problem.errno or 0, str(problem.strerror or problem))
