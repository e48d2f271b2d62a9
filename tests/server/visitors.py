"""People who ask without a pause while workers come and go, and keep count of what went wrong."""

import contextlib
import threading
import time

from websockets.exceptions import ConnectionClosed

from tests.live import PATIENCE, wait_for


class Asking:
    """Requests for a page, so many a second, each on a connection of its own."""

    def __init__(self, server, path, per_second, several=4):
        self.failures = []
        self.answers = []
        self._server, self._path, self._pause = server, path, several / per_second
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(several)]

    def _ask(self):
        due = time.monotonic()
        while not self._over.is_set():
            try:
                reply = self._server.get(self._path)
                (self.answers if reply is not None else self.failures).append(reply)
            except Exception as problem:
                self.failures.append(repr(problem))
            due += self._pause
            self._over.wait(max(0, due - time.monotonic()))

    def wait_for_more(self, count=20):
        """Until so many more were answered; their answers."""
        before = len(self.answers)
        wait_for(lambda: len(self.answers) >= before + count, "answers")
        return self.answers[before:]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)


class Listening:
    """WebSockets that come back whenever they are told to."""

    def __init__(self, server, count):
        self.failures = []
        self.told = []  # the codes that connections were closed with
        self.connected = 0
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._listen) for _ in range(count)]

    def _listen(self):
        while not self._over.is_set():
            try:
                with self._server.client() as client:
                    self.connected += 1
                    try:
                        self._read(client)
                    finally:
                        self.connected -= 1
            except ConnectionClosed as closed:
                self.told.append(closed.rcvd.code if closed.rcvd else None)
            except Exception as problem:
                self.failures.append(repr(problem))

    def _read(self, client):
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                client.read(timeout=0.2)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_for(lambda: self.connected == len(self._threads), "all to be connected")
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)
