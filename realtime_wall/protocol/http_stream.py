"""The bytes of an HTTP/1.1 answer whose end is not known when it begins: RFC 9112, section 7.1."""

from __future__ import annotations

from collections.abc import Iterable

LAST_CHUNK = b"0\r\n\r\n"


def head(status: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The status line and the headers, which were checked: they have no line ends."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Some bytes as a chunk; none at all would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
