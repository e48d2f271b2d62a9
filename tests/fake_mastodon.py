"""A small Mastodon server: hashtag timelines, single posts, and a stream for those who have a token."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import gevent
from gevent.queue import Queue
from gevent.server import StreamServer

from tests.fake_x import answer, read_request

FIRST_ID = 114_500_000_000_000_000


class FakeMastodon:
    def __init__(self, clock, token="token"):
        self.statuses = {}  # id -> status, or anything else that is to be sent
        self.requests = []
        self.script = []  # acts for the next requests, before the ordinary answers
        self.forbidden = False
        self.token = token
        self.streams = []
        self._clock = clock
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *problem):
        self.cut()
        self._server.stop(timeout=0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def status(self, number, text, **fields):
        post_id = str(FIRST_ID + int(number))
        return {
            "id": post_id,
            "created_at": datetime.fromtimestamp(self._clock.now(), UTC).isoformat(),
            "url": f"{self.url}/@mara/{post_id}",
            "content": f"<p>{text.replace('&', '&amp;').replace('<', '&lt;')}</p>",
            "language": "en",
            "edited_at": None,
            "spoiler_text": "",
            "sensitive": False,
            "account": {"id": "7", "acct": "mara", "display_name": "Mara", "url": f"{self.url}/@mara"},
            "media_attachments": [],
            **fields,
        }

    def put(self, status, event="update"):
        self.statuses[status["id"]] = status
        self.tell(event, json.dumps(status))

    def delete(self, post_id):
        del self.statuses[post_id]
        self.tell("delete", post_id)

    def tell(self, event, data):
        data = data if isinstance(data, bytes) else data.encode()
        for stream in self.streams:
            stream.put(b"event: %b\ndata: %b\n\n" % (event.encode(), data))

    def cut(self):
        for stream in self.streams:
            stream.put(None)

    def _serve(self, connection, _):
        reader = connection.makefile("rb")
        while request := read_request(reader):
            method, target, headers, _body = request
            parts = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.requests.append((parts.path, query, headers.get("authorization")))
            if self.script:
                self.script.pop(0)(connection)
                return
            if self.forbidden:
                answer(connection, 401, {"error": "This method requires an authenticated user"})
            elif parts.path == "/api/v1/streaming/hashtag":
                self._stream(connection, headers)
                return
            elif parts.path.startswith("/api/v1/timelines/tag/"):
                answer(connection, 200, self._page(query))
            else:
                self._one(connection, parts.path.rpartition("/")[2])

    def _page(self, query):
        limit = int(query.get("limit", 20))
        newest = sorted(self.statuses, reverse=True)
        if "min_id" in query:
            later = [post_id for post_id in newest if int(post_id) > int(query["min_id"])]
            newest = later[-limit:]
        return [self.statuses[post_id] for post_id in newest[:limit]]

    def _one(self, connection, post_id):
        if post_id in self.statuses:
            answer(connection, 200, self.statuses[post_id])
        else:
            answer(connection, 404, {"error": "Record not found"})

    def _stream(self, connection, headers):
        if headers.get("authorization") != f"Bearer {self.token}":
            answer(connection, 401, {"error": "Missing access token"})
            return
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        stream = Queue()
        self.streams.append(stream)
        try:
            stream.queue.appendleft(b":)\n\n")
            for data in iter(stream.get, None):
                connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            gevent.sleep(0)
        finally:
            self.streams.remove(stream)
