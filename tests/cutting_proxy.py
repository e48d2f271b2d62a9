"""A proxy that does to a page's requests what bad networks do: run as a program, it ends with its input.

    python -m tests.cutting_proxy SERVER_PORT WAY SEED

``WAY`` is websocket, eventsource or polling: the others are answered 502. It prints its port, and leaves
everything alone once it is sent SIGUSR1.
"""

import contextlib
import random
import re
import select
import signal
import socket
import sys
import threading
import time

PATHS = {"websocket": ("/ws/",), "eventsource": ("/events/ev/",), "polling": ("/events/lp/",)}
ALWAYS = ("/health/", "/events/poll/")
FAULTS = ("none", "none", "cut", "cut", "cut without a length", "swallow", "delay", "502", "page")
LARGEST_CUT = 3000  # bytes of an answer; a head of ours has some 500
LONGEST_SWALLOW = 30.0  # seconds; a connection is then cut
ERROR = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 12\r\nConnection: close\r\n\r\n<h1>502</h1>"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Login</h1>"


class Proxy:
    def __init__(self, target, way, seed):
        self.target = target
        self.open = (*ALWAYS, *PATHS[way])
        self.shut = tuple(path for other in PATHS if other != way for path in PATHS[other])
        self.chance = random.Random(seed)
        self.is_calm = False

    def serve(self, client):
        with client:
            head = self._head(client)
            path = head.split(b" ", 2)[1].decode() if head.count(b" ") >= 2 else ""
            if path.startswith(self.shut):
                client.sendall(ERROR)
                return
            is_tried = path.startswith(self.open) and not self.is_calm
            fault = self.chance.choice(FAULTS) if is_tried else "none"
            if fault in ("502", "page"):
                client.sendall(ERROR if fault == "502" else PAGE)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                if b"\r\nUpgrade:" not in head:
                    head = re.sub(rb"\r\nConnection: [^\r]*", b"\r\nConnection: close", head)
                server.sendall(head)
                Exchange(client, server, fault, self.chance).run()

    def _head(self, client):
        head = b""
        while b"\r\n\r\n" not in head and (data := client.recv(65536)):
            head += data
        return head


class Exchange:
    """Bytes in both directions, until one end or the fault ends it."""

    def __init__(self, client, server, fault, chance):
        self.client, self.server, self.fault = client, server, fault
        self.left = chance.randrange(LARGEST_CUT) if fault != "none" else None
        self.pauses = chance
        self.ends = time.monotonic() + LONGEST_SWALLOW
        self.is_swallowing = False

    def run(self):
        while not self.is_swallowing or time.monotonic() < self.ends:
            for readable in select.select([self.client, self.server], [], [], 1)[0]:
                data = readable.recv(65536)
                if readable is self.client:
                    if not data:
                        return
                    if not self.is_swallowing:
                        self.server.sendall(data)
                elif not self._down(data):
                    return

    def _down(self, data):
        """Whether it goes on."""
        if not data and not self.is_swallowing:
            return False
        if self.is_swallowing:
            if not data:
                time.sleep(0.1)  # the server has ended it, and the client does not hear of it
            return True
        if self.fault == "cut without a length":
            data = re.sub(rb"\r\nContent-Length: \d+", b"", data)
        if self.fault == "delay":
            time.sleep(self.pauses.random() * 0.5)
        elif self.left is not None:
            data, self.left = data[: self.left], self.left - len(data)
        self.client.sendall(data)
        if self.left is None or self.left > 0 or self.fault == "delay":
            return True
        self.is_swallowing = self.fault == "swallow"
        return self.is_swallowing


def main(target, way, seed):
    proxy = Proxy(int(target), way, int(seed))
    signal.signal(signal.SIGUSR1, lambda *_: setattr(proxy, "is_calm", True))
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def serve(client):
        with contextlib.suppress(OSError):  # one end is gone: that is what we are for
            proxy.serve(client)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
