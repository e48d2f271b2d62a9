"""Any bytes on a connection: a refusal, or a request that another parser reads alike, to its last byte.

The heads and bodies go through the server's handler, pywsgi's parser behind it.
"""

import io
import re
from contextlib import nullcontext

import h11

from realtime_wall.config import Config
from realtime_wall.server.http.early_handshake import environ_of
from realtime_wall.server.http.handler import Handler
from realtime_wall.server.http.request_body import MalformedBody
from realtime_wall.server.http.request_head import BadHead, whole_head

_AUTHORITY = re.compile(rb"^https?://[^/?]+", re.IGNORECASE)
CONFIG = Config(head_size=4096, trusted_proxies=[])


class Server:
    """What a handler asks of its server, and the connection that it writes to."""

    config, routing, stopping = CONFIG, None, False
    environ = {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}

    reading_head = staticmethod(nullcontext)

    def __init__(self):
        self.idle = set()

    def get_environ(self):
        return dict(self.environ)

    def sendall(self, data):
        pass


class Reading(Handler):
    def __init__(self, data):
        self.server = self.socket = Server()
        self.rfile = io.BufferedReader(io.BytesIO(data))
        self.client_address, self.requestline = ("192.0.2.1", 1), None


def request_in(data):
    """The method, the target, the body and what is behind it; None for what is refused, or not complete."""
    handler = Reading(data)
    line = handler.read_requestline()
    try:
        if not line or not handler.read_request(line):
            return None
    except (BadHead, ValueError):
        return None
    # A handshake is read before there is a handler.
    lines = whole_head(data, CONFIG.head_size)
    environ, early = handler.get_environ(), lines and environ_of(lines, handler.client_address)
    if early:
        same = [key for key in environ if key.startswith("HTTP_") or key in ("PATH_INFO", "QUERY_STRING")]
        assert {key: environ[key] for key in same} == {key: early.get(key) for key in same}
    assert "SCRIPT_NAME" in environ and not [key for key in environ if "FORWARDED" in key]
    try:
        body = environ["wsgi.input"].read()
    except (OSError, MalformedBody):
        return None
    return handler.command.encode(), handler.path.encode("latin-1"), body, handler.rfile.read()


def another_parser(data):
    other = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    other.receive_data(data.removeprefix(b"\r\n"))  # one empty line is forgiven; it knows none
    head, body = other.next_event(), b""
    while isinstance(event := other.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage), event
    path = _AUTHORITY.sub(b"", head.target)  # where a proxy's target is read
    return head.method, path if path[:1] in (b"/", b"*") else b"/" + path, body, other.trailing_data[0]


def parse(data: bytes) -> None:
    found = request_in(data)
    if found is None:
        return
    try:
        other = another_parser(data)
    except h11.RemoteProtocolError:
        if b";" in data:  # it knows no spaces in the extensions of a chunk
            return
        raise
    assert found == other
