"""Is this request head beyond doubt?

Two programs that read one request differently can be made to disagree about where it ends (request
smuggling), so whatever is odd is refused here, before pywsgi's lenient parser sees it. Follows RFC 9112
where that says "reject", and refuses where it says "may".
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import unquote_to_bytes

import gevent

MAX_REQUEST_LINE = 8 * 1024
# Python's http.client, which pywsgi parses with, stops at a hundred lines, the empty one included.
MAX_HEADERS = 99
# From these Django cuts one piece after the other, and copies what is left: 8 KiB of semicolons for a
# Content-Type took 18 ms, and a path of as many bytes whose escapes are wrong, or no UTF-8, 10.
MAX_CONTENT_TYPE = MAX_ODD_PATH = 1024

_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [\x21-\x7e]+ HTTP/1\.([01])")
# Names are tokens, without a space before the colon; values have no control characters but the tab.
# The blanks around a value are a part of it: a repetition of their own before it could share them with it in
# as many ways as there are, and of a line that is no header all of them would be tried.
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)\r\n")
_DECISIVE = frozenset((b"host", b"content-length", b"content-type", b"transfer-encoding", b"upgrade"))
# A name or an address, and perhaps a port: no user, no path, no list. RFC 9112 3.2 lets it be empty only
# where the target has no authority, and those of http have one.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"(?i:https?)://(" + _HOST.pattern + rb")((?:[/?].*)?)")
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# Fifteen digits are a petabyte: longer only ever is an attempt to overflow somebody.
_LENGTH = re.compile(rb"[0-9]{1,15}")

REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


class BadHead(ValueError):
    """A request head that is refused; ``status`` is the answer, ``reason`` is for the log and the client."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status} {reason}")

    def response(self) -> bytes:
        return plain_response(self.status, self.reason)


def plain_response(status: int, text: str, *extra_headers: str) -> bytes:
    """A whole answer that ends its connection."""
    body = text.encode() + b"\n"
    head = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        "Connection: close",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        *extra_headers,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def head_timer(arrived: bytes, seconds: float) -> AbstractContextManager[object]:
    """Around the reading of a head. One that has arrived as a whole, as most have, is waited for no more."""
    if b"\r\n\r\n" in arrived.lstrip():
        return nullcontext()
    return gevent.Timeout(seconds, BadHead(408, "the request head took too long"))


def read_lines(stream: Any, limit: int) -> tuple[list[bytes], bytes]:
    """The lines of a head, and the one behind it: nothing where the client has gone."""
    first: bytes = stream.readline(MAX_REQUEST_LINE + 1)
    if first == b"\r\n":  # RFC 9112 2.2: one empty line before a request is forgiven
        first = stream.readline(MAX_REQUEST_LINE + 1)
    if len(first) >= MAX_REQUEST_LINE:  # pywsgi's own limit, which it would not log with its status
        raise BadHead(414, "the request line is too long")
    if not first:
        return [], first
    lines, size = [first], len(first)
    while (line := stream.readline(MAX_REQUEST_LINE + 1)) not in (b"\r\n", b"\n", b""):
        lines.append(line)
        size += len(line)
        if size > limit or len(lines) > MAX_HEADERS + 1 or len(line) > MAX_REQUEST_LINE:
            raise BadHead(431, "the request head is too large")
    return lines, line


def whole_head(arrived: bytes, limit: int) -> list[bytes] | None:
    """The lines of a head, when these bytes are one and nothing else, and it is sound; as it leaves
    :func:`in_origin_form`."""
    if arrived.find(b"\r\n\r\n") != len(arrived) - 4 or len(arrived) > min(limit, MAX_REQUEST_LINE):
        return None
    lines = arrived[:-2].splitlines(keepends=True)
    try:
        check_head(lines)
    except BadHead:
        return None
    return in_origin_form(lines)


def check_head(lines: list[bytes]) -> None:
    """Raise :class:`BadHead` unless the lines (request line, headers, each with its CRLF) are sound."""
    matches = [_HEADER_LINE.fullmatch(line) for line in lines[1:]]
    for line in lines if None in matches else lines[:1]:
        _check_line(line)
    minor = _check_request_line(lines[0][:-2])
    if len(matches) > MAX_HEADERS:
        raise BadHead(431, f"more than {MAX_HEADERS} headers")
    headers = _decisive_headers(matches)
    hosts = headers.get(b"host", [])
    if len(hosts) > 1 or (not hosts and minor == b"1"):
        raise BadHead(400, "a request needs exactly one Host header")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        raise BadHead(400, "Host is not a host and perhaps a port")
    if any(len(one) > MAX_CONTENT_TYPE for one in headers.get(b"content-type", ())):
        raise BadHead(431, f"Content-Type is longer than {MAX_CONTENT_TYPE} bytes")
    _check_framing(headers, minor)


def in_origin_form(lines: list[bytes]) -> list[bytes]:
    """The lines of a sound head, whose target begins with a slash.

    A proxy's target is read as RFC 9112 3.2.2 has it: its host stands in place of the one in ``Host``.
    """
    method, target, version = lines[0].split(b" ")
    found = None if target[:1] == b"/" else _ABSOLUTE.fullmatch(target)
    if found is None:
        return lines
    path = found[2] if found[2].startswith(b"/") else b"/" + found[2]
    others = [line for line in lines[1:] if line[:5].lower() != b"host:"]
    return [b" ".join((method, path, version)), b"Host: " + found[1] + b"\r\n", *others]


def _check_request_line(line: bytes) -> bytes:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        if re.search(rb" HTTP/[0-9.]+$", line) and not re.search(rb" HTTP/1\.[01]$", line):
            raise BadHead(505, "this server speaks HTTP/1.1")
        raise BadHead(400, "the request line is not 'METHOD target HTTP/1.1'")
    method, target, _ = line.split(b" ")
    is_known = target.startswith(b"/") or (method, target) == (b"OPTIONS", b"*")
    if not is_known and _ABSOLUTE.fullmatch(target) is None:
        raise BadHead(400, "the request target has to begin with '/'")
    if b"#" in target:
        raise BadHead(400, "the request target has a fragment")
    path = target.partition(b"?")[0]
    if len(path) > MAX_ODD_PATH and not _has_text(path):
        raise BadHead(400, "the path is long, and its escapes are no UTF-8")
    return match[1]


def _has_text(path: bytes) -> bool:
    if _NO_ESCAPE.search(path):
        return False
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_line(line: bytes) -> None:
    if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
        raise BadHead(400, "a line of the request head does not end in CRLF")
    if b"\0" in line:
        raise BadHead(400, "NUL in the request head")


def _decisive_headers(matches: list[re.Match[bytes] | None]) -> dict[bytes, list[bytes]]:
    """Those by which it is decided whether a head is sound, in small letters."""
    headers: dict[bytes, list[bytes]] = {}
    for match in matches:
        if match is None:
            raise BadHead(400, "a header line is not 'Name: value'")
        name = match[1].lower()
        if name in _DECISIVE:
            headers.setdefault(name, []).append(match[2].strip())
    return headers


def is_header(line: bytes) -> bool:
    """Whether it is a header line with its CRLF, of a head or behind a body."""
    return _HEADER_LINE.fullmatch(line) is not None


def _check_framing(headers: dict[bytes, list[bytes]], minor: bytes) -> None:
    lengths = headers.get(b"content-length", [])
    codings = headers.get(b"transfer-encoding", [])
    if len(lengths) > 1 or (lengths and _LENGTH.fullmatch(lengths[0]) is None):
        raise BadHead(400, "Content-Length is not one number")
    if codings and lengths:
        raise BadHead(400, "Transfer-Encoding together with Content-Length")
    if codings and (len(codings) > 1 or codings[0].lower() != b"chunked" or minor == b"0"):
        raise BadHead(400, "the only Transfer-Encoding this server reads is 'chunked'")
    if headers.get(b"upgrade", [b""])[0].lower() == b"websocket" and (codings or lengths not in ([], [b"0"])):
        raise BadHead(400, "a WebSocket handshake has no body")
