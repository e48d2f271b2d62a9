"""Which address does a visitor come from, for what is counted by address?

That of the connection; or, from one of ``TRUSTED_PROXIES``, the one that it says. Nobody knows it behind a
proxy that does not say, or that nobody has named: everybody would look like one visitor then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.http import HttpRequest

from realtime_wall.auth.trusted_proxies import are_trusted
from realtime_wall.config import current

# In META: what the HTTP server has found.
META_KEY = "realtime_wall.address"
# A home has that many addresses of IPv6, and may use them all.
IPV6_HOME = 64


def address_of(meta: Mapping[str, Any], trusted_proxies: Sequence[str], is_forwarded: bool = False) -> str:
    """Empty when nobody knows. ``is_forwarded``: it came with a proxy's headers, trusted or not.

    The headers of proxies that are not trusted are dropped when they arrive. Of the others the outermost
    counts: each adds to what it was given, and what stands before may be a lie.
    """
    peer = str(meta.get("REMOTE_ADDR") or "")
    if not are_trusted(peer, trusted_proxies):
        return "" if is_forwarded and _is_of_a_private_network(peer) else home_of(peer)
    return home_of(_of_proxies(meta, trusted_proxies))


def source_of(meta: Mapping[str, Any], trusted_proxies: Sequence[str]) -> str:
    """The address itself, for people to read. Where nobody knows it, that of the connection, a proxy's."""
    peer = str(meta.get("REMOTE_ADDR") or "")
    return (are_trusted(peer, trusted_proxies) and _of_proxies(meta, trusted_proxies)) or peer


def visitor_address(request: HttpRequest, *, network: bool = False) -> str:
    """The address that a request, or a socket's client, comes from: behind one of ``TRUSTED_PROXIES``, what
    that says. Where none says it, all who come through a proxy have the proxy's.

    ``network``: of IPv6 the network of 64 bits, which one home has for itself. For what is counted.
    """
    source = source_of(request.META, current().trusted_proxies)
    return home_of(source) if network else source


def _of_proxies(meta: Mapping[str, Any], trusted_proxies: Sequence[str]) -> str:
    for item in reversed(str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        address = _without_port(item.strip())
        if address and not are_trusted(address, trusted_proxies):
            return address
    return ""


@lru_cache(maxsize=4096)
def home_of(address: str) -> str:
    """What counts as one: an address of IPv4, a network of 64 bits of IPv6; anything else as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, IPV6_HOME), strict=False))


def _without_port(address: str) -> str:
    """Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _is_of_a_private_network(peer: str) -> bool:
    try:
        return ip_address(peer.partition("%")[0]).is_private
    except ValueError:
        return False
