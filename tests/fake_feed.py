"""A small server of feeds, which may be told something as well; it does what a script says first."""

import json

from gevent.server import StreamServer

from tests.fake_x import read_request

ITEM = (
    "<item><guid>{id}</guid><title></title><link>https://tides.example/{id}</link>"
    "<pubDate>Thu, 14 May 2026 08:50:00 GMT</pubDate><description>{text}</description>{more}</item>"
)
MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'


class FakeFeed:
    def __init__(self):
        self.items = {}
        self.headers = {}
        self.requests = []  # headers of each
        self.bodies = []  # what was sent, read as JSON
        self.raw = []
        self.script = []  # acts for the next requests
        self.slow = None  # the act for ``?slow``
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *problem):
        self._server.stop(timeout=0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/feed"

    def put(self, number, text, more=""):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        twice = escaped.replace("&", "&amp;")  # HTML in XML
        self.items[number] = ITEM.format(id=number, text=twice, more=more)

    def body(self):
        items = "".join(self.items.values())
        return f'<rss version="2.0" {MEDIA}><channel><title>Tides</title>{items}</channel></rss>'.encode()

    def _serve(self, connection, _):
        reader = connection.makefile("rb")
        while request := read_request(reader):
            _method, target, headers, body = request
            if target.endswith("?slow"):
                self.slow(connection)
                return
            self.requests.append(headers)
            if body is not None:
                self.bodies.append(body)
                self.raw.append(json.dumps(body, separators=(",", ":")).encode())
            act = self.script.pop(0) if self.script else answer(self.body(), self.headers)
            act(connection)


def answer(body, headers=(), status=200):
    def play(connection):
        lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return play
