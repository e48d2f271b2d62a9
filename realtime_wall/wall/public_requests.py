"""May this address be asked, which somebody has typed? If it is public, or if the settings name it.

Else whoever may edit a wall, or a server elsewhere by a redirect, could have this server speak to its
neighbours: to the database's machine, or to the cloud's store of secrets. What is checked is the address that
is connected to, so a name that is answered otherwise a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

MOST_REDIRECTS = 5
AGENT = "realtime_wall"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PrivateAddress(NewConnectionError):
    pass


def session(private_hosts: Sequence[str] = ()) -> requests.Session:
    """It takes no proxy and no password from the environment: a stranger's server is told nothing."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = MOST_REDIRECTS
    made.headers["User-Agent"] = AGENT
    for scheme in ("http://", "https://"):
        made.mount(scheme, _PublicAdapter(private_hosts))
    return made


def reason_of(problem: requests.RequestException) -> str:
    """In a sentence, for whoever has typed the address."""
    cause: Any = problem.args[0] if problem.args else None
    cause = getattr(cause, "reason", cause)
    sentence = str(cause).partition("): ")[2] if isinstance(cause, NewConnectionError) else ""
    return sentence or type(problem).__name__


def is_public(address: str) -> bool:
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # What stands for an address of IPv4 is as public as that.
        inside = found.ipv4_mapped or found.sixtofour
        if inside is None and found in _NAT64:
            inside = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        found = inside or found
    return found.is_global and not found.is_multicast


class _PublicAdapter(HTTPAdapter):
    def __init__(self, private_hosts: Sequence[str]) -> None:
        self._private_hosts = tuple(private_hosts)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        rule = {"private_hosts": self._private_hosts}
        plain = type("PublicHTTP", (_PublicConnection, HTTPConnection), rule)
        tls = type("PublicHTTPS", (_PublicConnection, HTTPSConnection), rule)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PublicHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("PublicHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }


class _PublicConnection:
    private_hosts: Sequence[str]

    def _new_conn(self: Any) -> socket.socket:
        problem: Exception | None = None
        for family, target in self._targets():
            address = str(target[0])
            if not (self.host in self.private_hosts or address in self.private_hosts or is_public(address)):
                problem = PrivateAddress(
                    self, f"{self.host} is at {address}, which is private: see PRIVATE_HOSTS"
                )
                continue
            try:
                return _connect(family, target, self.timeout, self.socket_options)
            except OSError as failed:
                problem = NewConnectionError(self, f"{type(failed).__name__}: {failed}")
        raise problem or NewConnectionError(self, f"{self.host} has no address")

    def _targets(self: Any) -> Iterator[tuple[int, Any]]:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as failed:
            raise NewConnectionError(self, f"{self.host} has no address: {failed}") from failed
        yield from dict.fromkeys((one[0], one[4]) for one in found)


def _connect(family: int, target: Any, timeout: Any, options: Any) -> socket.socket:
    """It is looked up no more; and closed also when its greenlet is killed, or its time is up."""
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options or ():
            made.setsockopt(*option)
        made.settimeout(timeout if isinstance(timeout, (int, float)) else None)
        made.connect(target)
    except BaseException:
        made.close()
        raise
    return made
