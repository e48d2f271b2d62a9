"""A real redis-server of a test, on a free port of the loopback; it ends with the test.

``with RedisServer() as redis`` gives ``redis.url``. It can be killed, halted, and started again:
with what it had, with nothing, or with what it had when ``snapshot`` was called.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import redis

from tests.live import PATIENCE, wait_for


class RedisServer:
    def __init__(self, *options):
        self.options = options
        self.directory = tempfile.TemporaryDirectory(prefix="rw")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None
        self.client = redis.Redis(port=self.port, socket_timeout=PATIENCE)

    def start(self):
        where = Path(self.directory.name)
        with open(where / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(where)]
                # Every write is in the file before it is answered, so that killing it loses none.
                + ["--save", "", "--appendonly", "yes", "--appendfsync", "always", *self.options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        wait_for(self.answers, "redis-server")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(Path(self.directory.name, "log").read_text())
        try:
            return self.client.ping()
        except redis.RedisError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(PATIENCE)
        self.client.connection_pool.disconnect()

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self):
        self.kill()
        return self.start()

    def snapshot(self):
        """Remember what it has now."""
        self.kill()
        shutil.copytree(self._data, self._old)
        self.start()

    def lose_everything(self):
        """To be called while it is killed: it has nothing when it starts."""
        shutil.rmtree(self._data)

    def lose_what_came_since(self):
        """To be called while it is killed: it has what it had at the snapshot when it starts."""
        shutil.rmtree(self._data)
        shutil.copytree(self._old, self._data)

    @property
    def _data(self):
        return Path(self.directory.name, "appendonlydir")

    @property
    def _old(self):
        return Path(self.directory.name, "old")

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.client.close()
        self.directory.cleanup()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
