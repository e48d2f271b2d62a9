"""Is this request a valid WebSocket handshake, what is its 101, and how will messages be framed?

A usual one is answered here. Whatever is odd gevent-websocket checks, which would answer before the
application was asked: so it is given a request that it can neither read from nor write to
(docs/decisions/0002).
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import re
from hashlib import sha1
from typing import Any

from geventwebsocket.handler import WebSocketHandler

from realtime_wall.config import Config
from realtime_wall.protocol.websocket import deflate_offer
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing, deflate_framing

Headers = list[tuple[str, str]]

log = logging.getLogger(__name__)

# RFC 6455 4.1: 16 bytes in base64; and what is put behind it.
_KEY = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==", re.ASCII)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def is_handshake(environ: dict[str, Any]) -> bool:
    """Whether it wants to be one, valid or not."""
    tokens = {token.strip() for token in environ.get("HTTP_CONNECTION", "").lower().split(",")}
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "upgrade" in tokens
        and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
    )


def is_usual(environ: dict[str, Any]) -> bool:
    """Whether it speaks our version, and has a key as every client makes one."""
    is_ours = environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13"
    return is_ours and _KEY.fullmatch(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")) is not None


def accepted(key: str) -> Headers:
    """The headers of the 101."""
    answer = base64.b64encode(sha1(key.encode() + _GUID).digest()).decode()
    return [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", answer)]


def check(environ: dict[str, Any], version: str) -> tuple[str, Headers, bytes]:
    """Status, headers and body of the answer: a 101, or why there is none."""
    if version == "HTTP/1.1" and is_usual(environ):
        return "101 Switching Protocols", accepted(environ["HTTP_SEC_WEBSOCKET_KEY"]), b""
    try:
        # Strictly: two keys, or one with junk in it, must not pass for one.
        base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except (binascii.Error, ValueError):
        return "400 Bad Request", [], b"Sec-WebSocket-Key is not base64\n"
    found = _Check(environ, version)
    body = found.upgrade_websocket() or []
    status, headers = found.answer
    # What was made there refers to it: a crowd that returns would leave the garbage collector many circles.
    found.environ.clear()
    if status.startswith("402"):  # its answer to an HTTP version it does not know
        status = "400 Bad Request"
    if headers and not status.startswith("101"):  # it names the version we speak
        status = "426 Upgrade Required"
    return status, headers, " ".join(body).encode() + b"\n"


def framing(environ: dict[str, Any], config: Config) -> tuple[Framing, Headers]:
    """How messages will be framed, and the headers that say so."""
    offers = environ.get("HTTP_SEC_WEBSOCKET_EXTENSIONS", "")
    accepted = deflate_offer.accept(offers) if config.websocket_compression and offers else None
    if accepted is None:
        return PLAIN, []
    framing = deflate_framing(accepted.window_bits, config.compression_min_size)
    return framing, [("Sec-WebSocket-Extensions", accepted.answer)]


class _Check(WebSocketHandler):  # type: ignore[misc]
    """A handler without a connection, whose answer is kept."""

    SUPPORTED_VERSIONS = ("13",)  # of RFC 6455; the drafts before it are no longer spoken
    application = None
    logger = log

    def __init__(self, environ: dict[str, Any], version: str) -> None:
        self.environ = {**environ}  # it would leave its own things there
        self.request_version = version
        self.rfile = io.BytesIO()
        self.socket = _Nowhere()
        self.answer: tuple[str, Headers] = ("400 Bad Request", [])

    def start_response(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        self.answer = status, headers
        if (unused := self.__dict__.pop("websocket", None)) is not None:
            # Or, as it is deleted, it sends a close and looks for clients of its own.
            unused.closed, unused.handler = True, None


class _Nowhere:
    def sendall(self, data: bytes) -> None:
        """Nothing is sent."""
