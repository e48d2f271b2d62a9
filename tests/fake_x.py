"""A small X: its rules, and a stream that does what a script says.

::

    with FakeX([stream(x_line(1), KEEP_ALIVE), refuse(429)]) as x:
        XStreamSource("token", ["tides"], base_url=x.url)

Each dial takes the next act of the script; when it is used up, the stream stays open in silence. The
answers are written byte by byte, not by a web server, so that they can break off anywhere.
"""

import contextlib
import json
import socket
import struct
from urllib.parse import parse_qs, urlsplit

import gevent
from gevent.event import Event
from gevent.queue import Empty, Queue
from gevent.server import StreamServer

KEEP_ALIVE = b"\r\n"


class FakeX:
    def __init__(self, script=(), rules=(), token="token", clock=None):
        self.script = list(script)
        self.rules = [dict(rule) for rule in rules]
        self.rules_script = []  # answers to requests about rules, before the ordinary ones
        self.token = token
        self.dials = []  # the clock's time of each
        self.requests = []  # (method, path, query, what was sent)
        self.found = []  # lines that the recent search finds, oldest first
        self.search_script = []  # acts for requests of the search, before the ordinary answers
        self.searches = []  # query of each
        self.live = []  # queues of open streams that were begun by open_stream
        self._clock = clock
        self._next_id = 100
        self._changed = Event()
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *problem):
        self._server.stop(timeout=0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_for_dials(self, count, deadline=5):
        with gevent.Timeout(deadline, AssertionError(f"dialled {len(self.dials)} times, not {count}")):
            while len(self.dials) < count:
                self._changed.clear()
                self._changed.wait()

    def _serve(self, connection, _):
        reader = connection.makefile("rb")
        while request := read_request(reader):
            method, target, headers, body = request
            parts = urlsplit(target)
            self.requests.append((method, parts.path, parse_qs(parts.query), body))
            if headers.get("authorization") != f"Bearer {self.token}":
                answer(connection, 401, {"title": "Unauthorized", "detail": "Unauthorized"})
            elif parts.path == "/2/tweets/search/stream/rules":
                answer(connection, *self._about_rules(method, body))
            elif parts.path == "/2/tweets/search/stream":
                self._stream(connection)
                return
            elif parts.path == "/2/tweets/search/recent":
                self.searches.append({name: values[0] for name, values in parse_qs(parts.query).items()})
                if self.search_script:
                    self.search_script.pop(0)(connection)
                    return
                answer(connection, 200, self._search(self.searches[-1]))
            else:
                answer(connection, 404, {"title": "Not Found"})

    def _search(self, query):
        """Newest first, in pages."""
        since = int(query.get("since_id", 0))
        until = int(query.get("until_id", "9" * 40))
        lines = [
            line for line in reversed(self.found) if since < int(line["data"].get("id", "9" * 30)) < until
        ]
        begin, size = int(query.get("next_token", 0)), int(query["max_results"])
        page = lines[begin : begin + size]
        meta = {"result_count": len(page)}
        if begin + size < len(lines):
            meta["next_token"] = str(begin + size)
        if not page:
            return {"meta": meta}
        users = {user["id"]: user for line in page for user in line["includes"]["users"]}
        media = [one for line in page for one in line["includes"].get("media", ())]
        includes = {"users": list(users.values()), "media": media}
        return {"data": [line["data"] for line in page], "includes": includes, "meta": meta}

    def tell(self, line):
        """To every stream that open_stream has begun."""
        for queue in self.live:
            queue.put(line)

    def open_stream(self, connection):
        """An act: a stream of what is told, until it is told None."""
        queue = Queue()
        self.live.append(queue)
        try:
            begin(connection)
            while (part := next_or(KEEP_ALIVE, queue)) is not None:
                send(connection, part)
        except OSError:
            pass
        finally:
            self.live.remove(queue)

    def _stream(self, connection):
        self.dials.append(self._clock.now() if self._clock else None)
        self._changed.set()
        act = self.script.pop(0) if self.script else stream(end="silence")
        act(connection)

    def _about_rules(self, method, body):
        if self.rules_script:
            return self.rules_script.pop(0)
        if method == "GET":
            # X sends no 'data' when there are no rules.
            found = {"data": self.rules} if self.rules else {}
            return 200, found | {"meta": {"result_count": len(self.rules)}}
        if "delete" in body:
            self.rules = [rule for rule in self.rules if rule["id"] not in body["delete"]["ids"]]
            return 200, {"meta": {"summary": {"deleted": 1}}}
        return self._add_rules(body["add"])

    def _add_rules(self, wanted):
        created, errors = [], []
        for rule in wanted:
            if any(known["value"] == rule["value"] for known in self.rules):
                errors.append({"title": "DuplicateRule", "value": rule["value"]})
                continue
            self._next_id += 1
            created.append(rule | {"id": str(self._next_id)})
        self.rules += created
        return 201, {"data": created, "errors": errors} if errors else {"data": created}


def next_or(otherwise, queue, seconds=5):
    try:
        return queue.get(timeout=seconds)
    except Empty:
        return otherwise


def stream(*parts, end="close"):
    """An act: a 200 and these lines, then ``end``: close, cut, reset, silence or drip.

    Bytes are sent as they are, each as a chunk; anything else is sent as JSON with CR LF.
    """

    def play(connection):
        begin(connection)
        for part in parts:
            send(connection, part)
        ENDS[end](connection)

    return play


def begin(connection):
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )


def send(connection, part):
    data = part if isinstance(part, bytes) else json.dumps(part).encode() + b"\r\n"
    connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))


def refuse(status, headers=(), detail=None):
    """An act: an HTTP error."""

    def play(connection):
        answer(connection, status, {"title": "Error", "detail": detail or f"detail of {status}"}, headers)

    return play


def hang_up(connection):
    """An act: no answer at all."""


def _close(connection):
    connection.sendall(b"0\r\n\r\n")


def _cut(connection):
    """The chunks do not come to their end."""
    connection.sendall(b'40\r\n{"data": {"id"')


def _reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _silence(connection):
    with contextlib.suppress(ConnectionError):
        connection.recv(1)  # until the other end has had enough


def _drip(connection):
    """A byte now and then, and never the end of a line."""
    with contextlib.suppress(ConnectionError):
        while True:
            connection.sendall(b"1\r\nx\r\n")
            gevent.sleep(0.05)


ENDS = {"close": _close, "cut": _cut, "reset": _reset, "silence": _silence, "drip": _drip}


def answer(connection, status, body, headers=()):
    data = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Reason", "Content-Type: application/json", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)


def read_request(reader):
    """(method, target, headers, body as JSON), or None at the end of the connection."""
    first = reader.readline()
    if not first:
        return None
    method, target, _ = first.decode().split()
    headers = {}
    while (line := reader.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return method, target, headers, json.loads(body) if body else None
