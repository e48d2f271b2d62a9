"""One HTTP connection: a strict head, Django, and perhaps the hand-over of the connection.

This is pywsgi's handler. What stands before and behind it is in files of its own: the head, the body, the
handshake of WebSocket, the access log.
"""

from __future__ import annotations

import io
import logging
import os
import time
from contextlib import nullcontext
from functools import partial
from typing import Any, Protocol

import gevent
from django.core.exceptions import ImproperlyConfigured
from gevent import pywsgi

from realtime_wall.auth import visitor_address
from realtime_wall.config import Config
from realtime_wall.server.affinity.owner_routing import OwnerRouting, PassedConnection
from realtime_wall.server.http import access_log, proxy_headers, read_ahead, websocket_handshake
from realtime_wall.server.http.hand_over import (
    META_KEY,
    STREAM_KEY,
    HandOver,
    Opener,
    Stream,
    StreamOpener,
    take_wire,
)
from realtime_wall.server.http.request_body import BodyInput
from realtime_wall.server.http.request_head import (
    BadHead,
    check_head,
    head_timer,
    in_origin_form,
    read_lines,
)
from realtime_wall.sockets.budgets.visitors import Visitors
from realtime_wall.wire.connection import Wire

log = logging.getLogger(__name__)

# What of a response is joined to its head; beyond, copying costs more than a call.
JOINED = 64 * 1024


class ConnectionServer(Protocol):
    """What is asked of the server that a connection came to."""

    config: Config
    routing: OwnerRouting | None  # the ways to other servers
    stopping: bool
    visitors: Visitors
    idle: set[Handler]  # keep-alive connections between two requests
    application: Any

    def get_environ(self) -> dict[str, Any]: ...


_WSGIHandler: Any = pywsgi.WSGIHandler  # whose types are known in part


class Handler(_WSGIHandler):  # type: ignore[misc]
    server: ConnectionServer
    socket: Any
    code: int
    status: Any
    _orig_status: Any
    provided_content_length: Any
    response_headers: Any
    wsgi_input: Any
    _head: io.BytesIO
    _held: bytearray | None = None  # what is to leave together
    _problem: BadHead | None = None
    _hand_over: HandOver | None = None
    _stream: Stream | None = None
    _was_all: bool = False  # with the head nothing else was read
    serves_once: bool = False  # the connection ends with its first answer
    head_due: float = 0.0  # when the first head has to be complete

    # The head

    @property
    def is_new(self) -> bool:
        """Whether nothing has been asked on this connection yet."""
        return self.requestline is None

    def read_requestline(self) -> str:
        """Read the whole head at once, within its limits of time and size."""
        self._problem = self._hand_over = self._stream = None
        self.status = self._orig_status = None
        try:
            lines = self._read_head()
        except BadHead as problem:
            self._problem = problem
            return problem.reason
        if not lines or self._is_passed_on(lines):
            return ""
        # One client may send request after request, or very many clients one each.
        Wire.turns.wait(is_long=True)
        self._head = io.BytesIO(b"".join(lines[1:]) + b"\r\n")
        return lines[0].decode("latin-1")

    def _read_head(self) -> list[bytes]:
        config = self.server.config
        if not self.is_new and not self._is_spoken_to(config.keep_alive):
            return []
        seconds = max(self.head_due - time.monotonic(), 0.0) if self.is_new else config.head_timeout
        arrived = self.rfile.peek(1)
        with (
            head_timer(arrived, seconds) as timer,
            nullcontext() if timer is None else self.socket.reading_head(),
        ):
            lines, last = read_lines(self.rfile, config.head_size)
        self._was_all = len(arrived) == sum(map(len, lines)) + len(last)
        if last == b"":
            return []
        check_head([*lines])
        if last == b"\n":
            raise BadHead(400, "a line of the request head does not end in CRLF")
        return in_origin_form(lines)

    def _is_spoken_to(self, timeout: float) -> bool:
        """False when the client went away or stayed silent, or when we stop."""
        if self.server.stopping:
            return False
        self.server.idle.add(self)
        try:
            with gevent.Timeout(timeout, False):  # type: ignore[arg-type]
                self.rfile.peek(1)
                self.server.idle.discard(self)
        finally:
            waited_in_vain = self in self.server.idle
            self.server.idle.discard(self)
        return not waited_in_vain

    def _is_passed_on(self, head: list[bytes]) -> bool:
        """Whether this request, and whatever else comes on its connection, is another server's now."""
        routing, connection = self.server.routing, self.socket
        owner = None if routing is None else routing.owner_of(head[0])
        if routing is None or owner is None:
            return False
        try:
            behind = self._unused()
        except OSError:
            return False  # it went away meanwhile, as an answer will show
        peer = self.client_address if isinstance(self.client_address, tuple) else ""
        if not routing.pass_on(owner, connection, PassedConnection(peer, b"".join([*head, b"\r\n", behind]))):
            return False
        # Without a socket pywsgi's loop ends. It must not read what is left, as it does to close one.
        self.socket = None
        os.close(connection.detach())
        return True

    def _unused(self) -> bytes:
        """What was read ahead of the connection; and what has just arrived, when that was nothing.

        Of a head that has come alone that need not be asked: its wire hears of what follows.
        """
        if self._was_all and not read_ahead.has_more(self.rfile):
            return b""
        self.socket.settimeout(0)
        try:
            return read_ahead.unused(self.rfile)
        finally:
            self.socket.settimeout(None)

    def MessageClass(self, *args: Any) -> Any:  # noqa: N802
        return super().MessageClass(self._head, *args[1:])

    def read_request(self, raw_requestline: str) -> bool:
        if self._problem is not None:
            raise self._problem
        super().read_request(raw_requestline)
        tokens = {token.strip().lower() for token in self.headers.get("Connection", "").split(",")}
        self.close_connection = "close" in tokens or (
            self.request_version == "HTTP/1.0" and "keep-alive" not in tokens
        )
        return True

    def _handle_client_error(self, ex: BaseException) -> tuple[str, bytes]:
        problem = ex if isinstance(ex, BadHead) else BadHead(400, "the request could not be read")
        self.requestline = problem.reason
        self.code = problem.status
        self._orig_status = str(problem.status)
        answer = problem.response()
        if ex is not problem and self.command == "HEAD":  # of a length, which pywsgi refuses
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        return str(problem.status), answer

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        # RFC 9110 10.1.1: what HTTP/1.0 expects is ignored.
        expects = None if self.request_version == "HTTP/1.0" else self.wsgi_input.socket
        # Also for an upgrade, where pywsgi would give the application the raw stream.
        self._set_body(environ, expects, self.wsgi_input.chunked_input)
        environ.setdefault("REMOTE_ADDR", "")
        note_proxy(environ, self.server)
        return environ

    def _set_body(self, environ: dict[str, Any], expects: Any = None, is_chunked: bool = False) -> None:
        body = BodyInput(self.rfile, self.content_length, socket=expects, chunked_input=is_chunked)
        body.broken, body.timeout = False, self.server.config.head_timeout
        self.wsgi_input = environ["wsgi.input"] = body
        environ["wsgi.input_terminated"] = True

    # The response

    def run_application(self) -> None:
        Wire.turns.wait(is_long=True)
        if not websocket_handshake.is_handshake(self.environ):
            if self.command == "GET":
                self._stream = self.environ[STREAM_KEY] = Stream(self.request_version)
            super().run_application()
            return
        status, headers, body = websocket_handshake.check(self.environ, self.request_version)
        if not status.startswith("101"):
            self.start_response(status, [*headers, ("Connection", "close")])
            self.result = [body]
            self.process_result()
            return
        self._ask_with_offer(headers)

    def _ask_with_offer(self, headers: websocket_handshake.Headers) -> None:
        """Ask the site about a sound handshake, whose 101 has these headers."""
        framing, more = websocket_handshake.framing(self.environ, self.server.config)
        self._hand_over = self.environ[META_KEY] = HandOver([*headers, *more], framing)
        super().run_application()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        code = int(status[:3])
        if code == 101:
            if self._hand_over is None or self._hand_over.opener is None:
                raise ImproperlyConfigured("only a view that accepted a hand-over may answer 101")
            # A 101 has no body: lengths and types that middleware added would be taken for one.
            kept = [pair for pair in headers if not pair[0].lower().startswith("content-")]
            headers = [*kept, *self._hand_over.headers]
        elif code == 426:  # RFC 9110 7.8; an application under WSGI may not say it itself
            headers = [*headers, ("Upgrade", "websocket")]
        if self.server.stopping or self.serves_once or self.wsgi_input.ends_connection():
            self.close_connection = True
        write = super().start_response(status, headers, exc_info)
        if code == 200 and self._stream is not None and self._stream.opener is not None:
            self._stream.headers = headers
            self.headers_sent = True  # by the opener; pywsgi must not
            return write
        if code == 101:
            self.provided_content_length = "0"  # or pywsgi adds one
        elif self.close_connection and self.request_version != "HTTP/1.0":  # there pywsgi says it
            self.response_headers[:] = [
                pair for pair in self.response_headers if pair[0].lower() != b"connection"
            ]
            self.response_headers.append((b"Connection", b"close"))
        return write

    def _write_with_headers(self, data: bytes) -> None:
        """The head and the beginning of the body leave together.

        Of two small segments the second would wait until the client has acknowledged the first.
        """
        self._held = bytearray()
        try:
            super()._write_with_headers(data)
            held, self._held = self._held, None
            if self.code == 101 and self._hand_over is not None:
                self._hand_over.head = bytes(held)
            elif held:
                self._sendall(held)
        finally:
            self._held = None

    def _sendall(self, data: bytes | bytearray) -> None:
        if self._held is None:
            super()._sendall(data)
            return
        if len(data) <= JOINED:
            self._held += data
            return
        held, self._held = self._held, bytearray()
        super()._sendall(held)
        super()._sendall(data)

    def _write(self, data: bytes, *args: Any) -> None:
        if self.command != "HEAD":
            super()._write(data, *args)

    def finalize_headers(self) -> None:
        super().finalize_headers()
        if self.command == "HEAD":
            self.response_use_chunked = False  # or the empty last chunk would follow as a body

    def handle_one_response(self) -> None:
        super().handle_one_response()
        if self.wsgi_input.ends_connection():
            self.close_connection = True
            read_ahead.take_in_the_rest(self.socket)
        hand_over, stream = self._hand_over, self._stream
        if hand_over is not None and hand_over.opener is not None and self.code == 101 and self.headers_sent:
            self._give_away(hand_over.opener, self.environ[visitor_address.META_KEY], hand_over.head)
        elif stream is not None and stream.opener is not None and self.code == 200:
            # A request that a client sends ahead is not read any more: the connection ends with this answer.
            opener = partial(_open_stream, stream.opener, stream.headers)
            self._give_away(opener, self.environ[visitor_address.META_KEY])

    def _give_away(self, opener: Opener, address: str, head: bytes = b"") -> None:
        self.close_connection = True
        try:
            arrived = self._unused()
        except OSError:
            return  # it went away meanwhile; pywsgi closes what is left
        wire = take_wire(self.socket, self.server.config, self.server.visitors.at(address), head)
        # Without a socket pywsgi's loop ends and closes nothing.
        self.socket = None
        opener(wire, arrived)

    # The log

    def log_request(self) -> None:
        if self.requestline:
            status = abs(self.code or 0) or int((self._orig_status or "0")[:3])
            access_log.write(self.requestline, status, self.response_length, self.socket)

    def log_error(self, msg: str, *args: Any) -> None:
        log.info(msg, *args)


def note_proxy(environ: dict[str, Any], server: ConnectionServer) -> None:
    """What a proxy has said of the client, and whose it is then; one that is not trusted is known now."""
    proxy_headers.note(environ, server.config.trusted_proxies)
    if environ[proxy_headers.META_KEY] and not environ[visitor_address.META_KEY]:
        server.visitors.speaks_for_others(environ["REMOTE_ADDR"])


def _open_stream(opener: StreamOpener, headers: list[tuple[str, str]], wire: Wire, _: bytes) -> None:
    opener(wire, headers)
