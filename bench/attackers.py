"""Clients that mean harm: each sends as much as it can, and comes back when it is cut off.

``python -m bench.attackers FLOOD PORT CLIENTS SECONDS`` runs one flood and prints what became of it. Each
client has a loopback address of its own, which is no proxy's.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import socket
import struct
import sys
import threading
import time

from bench.swarm import HANDSHAKE, masked

POLLING = "/socket.io/?EIO=4&transport=polling"
# What one attacker keeps open, of what costs it no more than a connection.
HELD = 300
LISTENING = 0.02


class Attacker:
    def __init__(self, port, number, ends):
        self.port, self.ends = port, ends
        self.address = f"127.0.{10 + os.getpid() % 200}.{number + 1}"
        self.counts = collections.Counter()

    @property
    def goes_on(self):
        return time.monotonic() < self.ends

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), 2, (self.address, 0))
        self.counts["connects"] += 1
        return connection

    def websocket(self):
        connection = self.connect()
        key = "MDEyMzQ1Njc4OWFiY2RlZg=="
        connection.sendall(HANDSHAKE.format(path="/ws/", port=self.port, key=key, cookie="").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(4096)
            if not data:
                raise ConnectionError
            head += data
        status = head[9:12].decode()
        if status != "101":
            self.counts[status] += 1
            raise ConnectionError
        connection.settimeout(LISTENING)
        return connection

    def request(self, method, path, body=b""):
        """The answer to one, on a connection of its own."""
        with self.connect() as connection:
            head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = b""
            while data := connection.recv(65536):
                answer += data
        self.counts[answer[9:12].decode()] += 1
        return answer.partition(b"\r\n\r\n")[2]

    def pour(self, data, size):
        """Frames, over and over, on one WebSocket after the other."""
        while self.goes_on:
            with self.websocket() as connection:
                while self.goes_on and not self.is_closed(connection):
                    with contextlib.suppress(TimeoutError):
                        self.counts["frames"] += connection.send(data) // size

    def is_closed(self, connection):
        with contextlib.suppress(TimeoutError):
            data = connection.recv(1 << 20)
            closing = data.find(b"\x88")
            if not data or (closing >= 0 and data[closing + 2 : closing + 3] in (b"\x03", b"\x0d")):
                code = struct.unpack(">H", data[closing + 2 : closing + 4])[0] if data else "cut off"
                self.counts[str(code)] += 1
                return True
        return False


def control_frames(first):
    frame = bytes((first, 0x88)) + b"\0\0\0\0abcdefgh"
    return frame * 2000, len(frame)


def texts(text):
    frame = masked(text.encode())
    return frame * max(60_000 // len(frame), 1), len(frame)


def pings(attacker):
    attacker.pour(*control_frames(0x89))


def pongs(attacker):
    attacker.pour(*control_frames(0x8A))


def messages(attacker):
    attacker.pour(*texts('"hello"'))


def events(attacker):
    attacker.pour(*texts('{"type":"add","id":1,"message":[1,2,3]}'))


def subscribes(attacker):
    frames = b"".join(
        masked(json.dumps({"type": verb, "channel": f"c{number}"}).encode())
        for number in range(200)
        for verb in ("subscribe", "unsubscribe")
    )
    attacker.pour(frames, len(frames) // 400)


def nested(attacker):
    attacker.pour(*texts('{"type":"a","message":[' + ("[" * 30 + "]" * 30 + ",") * 16_000 + "1]}"))


def fragments(attacker):
    """Messages of 64 frames of a byte."""
    first, part, last = b"\x01\x81\0\0\0\0a", b"\x00\x81\0\0\0\0a", b"\x80\x81\0\0\0\0a"
    attacker.pour((first + part * 62 + last) * 100, len(first))


def connects(attacker):
    held = collections.deque()
    while attacker.goes_on:
        held.append(attacker.connect())
        if len(held) > HELD:
            held.popleft().close()


def slow_heads(attacker):
    held = []
    while attacker.goes_on:
        if len(held) < HELD:
            held.append(attacker.connect())
            held[-1].sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for connection in held[:: max(len(held) // 20, 1)]:
            try:
                connection.send(b"a")
            except OSError:
                held.remove(connection)
        time.sleep(0.002)


def polls(attacker):
    while attacker.goes_on:
        opened = attacker.request("GET", POLLING)
        if opened.startswith(b"0{"):
            sid = json.loads(opened[1:])["sid"]
            attacker.request("POST", f"{POLLING}&sid={sid}", b"40" + b'\x1e42["add",[1,2]]' * 500)


FLOODS = (pings, pongs, messages, events, subscribes, nested, fragments, connects, slow_heads, polls)


def run(flood, attacker):
    while attacker.goes_on:
        try:
            flood(attacker)
        except OSError:
            attacker.counts["failed"] += 1
            time.sleep(0.01)


def main(name, port, clients, seconds):
    os.nice(19)  # its machine would be another one
    ends = time.monotonic() + float(seconds)
    attackers = [Attacker(int(port), number, ends) for number in range(int(clients))]
    flood = {one.__name__: one for one in FLOODS}[name]
    threads = [threading.Thread(target=run, args=(flood, attacker)) for attacker in attackers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sum((attacker.counts for attacker in attackers), collections.Counter())))


if __name__ == "__main__":
    main(*sys.argv[1:])
