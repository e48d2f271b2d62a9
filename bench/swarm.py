"""Many clients in one process of their own, driven over its standard input and output.

Each line in is a JSON list ``[verb, arguments...]``, each line out its answer.
"""

from __future__ import annotations

import base64
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\n{cookie}\r\n"
)
# As Chrome offers it.
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

STAMP = b'"message":'

AT_ONCE = 4
PATIENCE = 30.0


class Swarm:
    """The bench's handle of a swarm process."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.swarm"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self):
        return self._process.pid

    def __getattr__(self, verb):
        def call(*arguments):
            self.begin(verb, *arguments)
            return self.end()

        return call

    def begin(self, verb, *arguments):
        self._process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        self._process.stdin.flush()

    def end(self):
        return json.loads(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Clients:
    """The swarm's side: raw sockets and one epoll."""

    def __init__(self):
        self.readers = {}
        self.deaf = []
        self.askers = []
        self.poll = select.epoll()
        self.received = 0
        self.sessions = {}
        self.addresses = []

    def listen_bare(self, port, count):
        """Clients of bench.bare."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"listen\n")
            self._add(connection)
        return self.settle()

    def listen(self, port, count, path, cookie="", deaf=False, deflate=False):
        """WebSocket clients; deaf ones never read after the handshake."""
        for _ in range(count):
            connection = handshake(port, path, cookie, deflate=deflate)
            if deaf:
                self.deaf.append(connection)
            else:
                self._add(connection)
        return self.settle()

    def listen_http(self, port, count, path, cookie=""):
        """Readers of a response without an end; ``{}`` in the path is the reader's number."""
        for number in range(count):
            self._add(get(port, path.replace("{}", str(number)), cookie))
        return self.settle()

    def posts(self, port, count, path, token):
        """POSTs of a short text by the bearer of a token, one after the other on a few connections."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: post_all(port, count // AT_ONCE, path, token), range(AT_ONCE)))

    def long_polls(self, port, path, count, messages):
        """Poll until each reader has so many messages; all that came, and in how many answers."""
        polls = {}
        epoll = select.epoll()

        def ask(reader, since):
            connection = socket.create_connection(("127.0.0.1", port))
            query = f"?since={since}" if since else ""
            connection.sendall(REQUEST.format(path=path + query, port=port, cookie="").encode())
            connection.setblocking(False)
            epoll.register(connection, select.EPOLLIN)
            polls[connection.fileno()] = (reader, connection, bytearray())

        got, answers = [0] * count, 0
        for reader in range(count):
            ask(reader, "")
        while min(got) < messages:
            events = epoll.poll(PATIENCE)
            if not events:
                break
            for fd, _ in events:
                reader, connection, answer = polls[fd]
                data = connection.recv(262144)
                answer += data
                head, _, body = bytes(answer).partition(b"\r\n\r\n")
                if data and (b"Content-Length: %d\r\n" % len(body) not in head or not body):
                    continue
                epoll.unregister(fd)
                polls.pop(fd)[1].close()
                got[reader] += body.count(b"burst-")
                answers += 1
                if got[reader] < messages:
                    ask(reader, head.partition(b'W/"')[2].partition(b'"')[0].decode())
        return sum(got), answers

    def listen_socketio(self, port, count, cookie=""):
        """Socket.IO clients on WebSockets."""
        for _ in range(count):
            self._add(connect_socketio(port, cookie))
        return self.settle()

    def connect_askers(self, port, clients):
        """Socket.IO clients that are going to ask."""
        self.askers = [connect_socketio(port) for _ in range(clients)]

    def ask(self, events):
        """Events with an acknowledgement, each asker's next when it has been answered."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda connection: ask(connection, events), self.askers))

    def dismiss_askers(self):
        for connection in self.askers:
            connection.close()
        self.askers = []

    def _add(self, connection):
        connection.setblocking(False)
        self.readers[connection.fileno()] = connection
        self.poll.register(connection, select.EPOLLIN)

    def settle(self, quiet=0.3):
        """Read until nothing comes any more; the number of bytes read."""
        read = 0
        while events := self.poll.poll(quiet):
            for fd, _ in events:
                data = self._read(fd)
                read += len(data)
        return read

    def expect(self, size):
        """Read until so many bytes have come."""
        read = 0
        while read < size:
            for fd, _ in self._wait():
                read += len(self._read(fd))
        return read

    def count(self, number, needle):
        """Read until something has come so many times; how often it did, who is connected, how many bytes."""
        needle, seen, size, rests = needle.encode(), 0, 0, {}
        while seen < number:
            events = self.poll.poll(PATIENCE)
            if not events:
                break
            for fd, _ in events:
                piece = self._read(fd)
                size += len(piece)
                data = rests.get(fd, b"") + piece
                seen += data.count(needle)
                rests[fd] = data[-len(needle) + 1 :]
        return seen, len(self.readers), size

    def join(self, channel, needle):
        """All subscribe, and read on until each has been told something; how many have."""
        command = masked(json.dumps({"type": "subscribe", "channel": channel}).encode())
        told, rests = set(), {}

        def read(events):
            for fd, _ in events:
                data = rests.get(fd, b"") + self._read(fd)
                if needle.encode() in data:
                    told.add(fd)
                rests[fd] = data[-len(needle) :]

        for connection in list(self.readers.values()):
            connection.send(command)
            read(self.poll.poll(0))
        while len(told) < len(self.readers) and (events := self.poll.poll(PATIENCE)):
            read(events)
        return len(told)

    def stamps(self, count):
        """Read messages that carry the time of their sending; the delay of each delivery in seconds."""
        came, missing = [], count
        while missing > 0:
            for fd, _ in self._wait():
                now = time.monotonic()
                data = self._read(fd)
                came.append((now, data))
                missing -= data.count(STAMP)
        # Afterwards: what is counted is not how long it takes to make a number of a text.
        return [now - stamp for now, data in came for stamp in stamps_in(data)]

    def stamps_until_quiet(self, count, quiet=3.0):
        """The same, but no longer than something comes."""
        delays = []
        while len(delays) < count and (events := self.poll.poll(quiet)):
            for fd, _ in events:
                now = time.monotonic()
                delays += (now - stamp for stamp in stamps_in(self._read(fd)))
        return delays

    def _wait(self):
        events = self.poll.poll(PATIENCE)
        if not events:
            raise RuntimeError(f"nothing came in {PATIENCE} s; {len(self.readers)} clients are connected")
        return events

    def _read(self, fd):
        data = self.readers[fd].recv(262144)
        if not data:
            self.poll.unregister(fd)
            self.readers.pop(fd).close()
        return data

    def handshakes(self, port, count, path, cookie):
        """Connect, read the welcome, leave; a few at a time, so that the server is never idle."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: handshake(port, path, cookie, until=b"welcome").close(), range(count)))

    def welcome(self, port, count, cookie, path="/ws/?"):
        """WebSocket clients that are going to come back."""

        def join_one(_):
            connection, answer = shaken_hands(port, path, cookie, until=b'"cursor"')
            self._welcomed(connection, answer)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(join_one, range(count)))

    def _welcomed(self, connection, answer):
        self._add(connection)
        self.sessions[connection.fileno()] = re.search(rb'"session":"([^"]+)"', answer)[1].decode()

    def ask_tickets(self, channel, since, path="/ws/?"):
        """The newest of each, for an address as the browser's client has it; how many have none.

        ``path`` is that of their handshake, without the channel.
        """
        heartbeat, self.addresses = masked(b'{"type":"heartbeat","id":7}'), []
        for fd, connection in self.readers.items():
            connection.setblocking(True)
            connection.sendall(heartbeat)
            answer = b""
            while b'"id":7' not in answer or not answer.endswith(b"}"):
                answer += connection.recv(65536)
            ticket = re.search(rb'"id":7,"message":"([^"]+)"', answer)
            query = f"&ticket={ticket[1].decode()}" if ticket else ""
            on = f"&on={channel}@{since}"
            self.addresses.append(f"{path}session={self.sessions[fd]}{query}{on}")
        return sum("&ticket=" not in address for address in self.addresses)

    def resumes(self, port, count, cookie, missed):
        """Connect, read what was missed; how many have got all of it, in order."""

        def resume(_):
            connection, answer = shaken_hands(port, self.addresses.pop(), cookie, until=b'"cursor"')
            self._welcomed(connection, answer)
            connection.setblocking(True)
            while b'"missed-%d"' % (missed - 1) not in answer and b'"gap"' not in answer:
                answer += connection.recv(65536)
            connection.setblocking(False)
            places = [answer.find(b'"missed-%d"' % number) for number in range(missed)]
            return places == sorted(places) and places[0] > 0 and b'"gap"' not in answer

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(resume, range(count)))

    def handshakes_socketio(self, port, count, cookie):
        """The same with Socket.IO, welcome included."""

        def connect(_):
            connect_socketio(port, cookie, "&user=1").close()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(connect, range(count)))

    def first_bytes(self, count):
        """Wait until so many clients have been told something; the time of the last."""
        told = set()
        while len(told) < count:
            for fd, _ in self._wait():
                if self._read(fd):
                    told.add(fd)
        return time.monotonic()

    def requests(self, port, count, path, cookie):
        """An ordinary GET on a new connection each."""
        request = HANDSHAKE.format(
            path=path, port=port, key="-" * 24, cookie=cookie and f"Cookie: {cookie}\r\n"
        )
        request = request.replace("Upgrade: websocket\r\nConnection: Upgrade\r\n", "Connection: close\r\n")

        def ask(_):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request.encode())
                while connection.recv(65536):
                    pass

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(ask, range(count)))

    def message(self, port, text):
        """One client that sends one large text message and reads the answer."""
        connection = handshake(port, "/ws/", "", until=b"welcome")
        connection.sendall(masked(text.encode()))
        answer = connection.recv(65536)
        connection.close()
        return answer.decode(errors="replace")

    def leave(self):
        for connection in [*self.readers.values(), *self.deaf]:
            connection.close()
        self.readers.clear()
        self.deaf.clear()


def stamps_in(data):
    """The times at which messages were sent."""
    return [float(part[: part.index(b",")]) for part in data.split(STAMP)[1:]]


def handshake(port, path, cookie, until=b"\r\n\r\n", deflate=False):
    return shaken_hands(port, path, cookie, until, deflate)[0]


def shaken_hands(port, path, cookie, until=b"\r\n\r\n", deflate=False):
    """A connection, and what has come over it."""
    key = base64.b64encode(os.urandom(16)).decode()
    connection = socket.create_connection(("127.0.0.1", port))
    cookie = (cookie and f"Cookie: {cookie}\r\n") + (DEFLATE if deflate else "")
    connection.sendall(HANDSHAKE.format(path=path, port=port, key=key, cookie=cookie).encode())
    answer = b""
    while until not in answer:
        data = connection.recv(4096)
        if not data:
            raise RuntimeError(f"refused: {answer!r}")
        answer += data
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return connection, answer


REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\n{cookie}\r\n"
)


def get(port, path, cookie=""):
    """A response without an end, of which the head was read."""
    connection = socket.create_connection(("127.0.0.1", port))
    cookie = cookie and f"Cookie: {cookie}\r\n"
    connection.sendall(REQUEST.format(path=path, port=port, cookie=cookie).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = connection.recv(4096)
        if not data:
            raise RuntimeError(f"refused: {answer!r}")
        answer += data
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return connection


def post_all(port, count, path, token):
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/plain\r\n"
    request = f"{head}Authorization: Bearer {token}\r\nContent-Length: 5\r\n\r\nhello".encode()
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        for _ in range(count):
            connection.sendall(request)
            status = answers.readline()
            assert b" 200 " in status, status
            length = 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)


def connect_socketio(port, cookie="", query=""):
    path = f"/socket.io/?EIO=4&transport=websocket{query}"
    connection = handshake(port, path, cookie, until=b'"sid"')
    connection.sendall(masked(b"40"))
    answer = b""
    while b"40{" not in answer:
        answer += connection.recv(4096)
    return connection


def ask(connection, events):
    for number in range(events):
        connection.sendall(masked(b'42%d["add",[1,2,3]]' % number))
        answer = b""
        while b"43%d[6]" % number not in answer:
            answer += connection.recv(4096)


def masked(payload):
    """A text frame with a mask of zeros: the server unmasks all the same."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xff" + size.to_bytes(8, "big")
    return b"\x81" + length + b"\0\0\0\0" + payload


def main():
    clients = Clients()
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        print(json.dumps(getattr(clients, verb)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
