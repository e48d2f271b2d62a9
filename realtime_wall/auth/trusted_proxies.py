"""Is this peer one of our proxies? ``TRUSTED_PROXIES`` names addresses, networks, and "unix"."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

UNIX = "unix"


def problem(entry: str) -> str | None:
    """Why this can never match a peer."""
    if entry == UNIX:
        return None
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return f"has {entry!r}, which is no address, no network and not 'unix'"
    return None


def are_trusted(peer: str, entries: Sequence[str]) -> bool:
    """Whether a peer is one of them; an empty address is a Unix socket's."""
    peer = peer or UNIX
    return peer in entries or (peer != UNIX and _is_in(peer, tuple(entries)))


@lru_cache(maxsize=4096)
def _is_in(peer: str, entries: tuple[str, ...]) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    # A socket for both families has IPv4 peers as ::ffff:192.0.2.1.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(entries))


@lru_cache(maxsize=16)
def _networks(entries: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(one, strict=False) for one in entries if one != UNIX and problem(one) is None]
