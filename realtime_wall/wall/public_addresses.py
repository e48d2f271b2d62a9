"""May this address be connected to, which somebody has typed? If it is public, or if the settings name it.

Else whoever may edit a wall, or a server elsewhere by a redirect, could have this server speak to its
neighbours: to the database's machine, or to the cloud's store of secrets. What is checked is the address that
is connected to, so a name that is answered otherwise a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PrivateAddress(OSError):
    """Its text is a sentence for whoever has typed the address."""


class NoAddress(OSError):
    """As ``PrivateAddress``."""


def connect(
    host: str,
    port: int,
    timeout: float | None,
    private_hosts: Sequence[str],
    options: Iterable[tuple[int, int, int]] = (),
) -> socket.socket:
    """To the first of its addresses that may be, and can; OSError. The options are the socket's."""
    problem: OSError | None = None
    for family, target in _targets(host, port):
        address = str(target[0])
        if not (host in private_hosts or address in private_hosts or is_public(address)):
            problem = PrivateAddress(f"{host} is at {address}, which is private: see PRIVATE_HOSTS")
            continue
        try:
            return _connect(family, target, timeout, options)
        except OSError as failed:
            problem = failed
    raise problem or NoAddress(f"{host} has no address")


def is_public(address: str) -> bool:
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # What stands for an address of IPv4 is as public as that.
        inside = found.ipv4_mapped or found.sixtofour
        if inside is None and found in _NAT64:
            inside = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        found = inside or found
    return found.is_global and not found.is_multicast


def _targets(host: str, port: int) -> Iterator[tuple[int, Any]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failed:
        raise NoAddress(f"{host} has no address: {failed}") from failed
    yield from dict.fromkeys((one[0], one[4]) for one in found)


def _connect(
    family: int, target: Any, timeout: float | None, options: Iterable[tuple[int, int, int]]
) -> socket.socket:
    """It is looked up no more; and closed also when its greenlet is killed, or its time is up."""
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            made.setsockopt(*option)
        made.settimeout(timeout)
        made.connect(target)
    except BaseException:
        made.close()
        raise
    return made
