"""The servers that are measured: ours, and the bare loop that is the control."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
SITE = Path(__file__).parent / "site"
PEERS = Path(__file__).parent / "peers"
PATIENCE = 60


# A server that takes less of a processor, for so many seconds, is idle.
BUSY, QUIET = 0.03, 0.05


class Process:
    """A server in a process of its own, with its CPU time and memory."""

    program = sys.executable

    def __init__(self, command, cwd, environment):
        self.directory = tempfile.TemporaryDirectory(prefix="rwbench")
        self.port = _free_port()
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **environment(self)}
        self.log = Path(self.directory.name, "log").open("w+b")  # noqa: SIM115
        self.process = subprocess.Popen(
            [self.program, *command(self)], cwd=cwd, env=env, stdout=self.log, stderr=self.log
        )
        self.wait_for_port()

    def wait_for_port(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                threading.Event().wait(0.05)
        self.log.seek(0)
        raise RuntimeError(self.log.read().decode())

    def cpu(self):
        """CPU seconds of it so far, kernel included, to the nanosecond."""
        return _cpu(self.process.pid)

    def cpu_when_idle(self):
        """The same, when it does nothing any more: some tidy up long after their clients have read it all."""
        before, spent = -1.0, self.cpu()
        while spent - before > BUSY * QUIET:
            threading.Event().wait(QUIET)
            before, spent = spent, self.cpu()
        return spent

    def memory(self):
        """Bytes of anonymous memory in RAM."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no RssAnon")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def get(self, path, cookie=""):
        address = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(address, headers={"Cookie": cookie} if cookie else {})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()
        self.directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Ours(Process):
    """``rungevent`` with release settings; ``cookie`` is a logged-in visitor's.

    One that is ``beside`` another belongs to the same project.
    """

    def __init__(self, beside=None, workers=1, sessions="db", budgets=True, **settings):
        def environment(self):
            self.environment = {
                "BENCH_DATABASE": os.path.join(self.directory.name, "db.sqlite3"),
                "BENCH_DIRECTORY": (beside or self).directory.name,
                "BENCH_SESSIONS": sessions,
                "BENCH_SETTINGS": json.dumps(settings),
                "BENCH_BUDGETS": "1" if budgets else "",
                "PYTHONPATH": str(ROOT),
            }
            made = self.manage("migrate", "-v0")
            assert made.returncode == 0, made.stderr
            self.cookie = self.manage("shell", "-v0", "-c", LOGIN).stdout.strip()
            return self.environment

        super().__init__(
            lambda self: ["manage.py", "rungevent", "--noreload", "--workers", str(workers), str(self.port)],
            SITE,
            environment,
        )
        if workers > 1:
            self.wait_for_workers(workers)

    def wait_for_workers(self, count):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if len(self.statistics().get("by_worker", ())) == count:
                return
            threading.Event().wait(0.1)
        raise RuntimeError("not all workers serve")

    def statistics(self):
        """Of all workers."""
        told = self.manage("realtime", "stats", "--json")
        return json.loads(told.stdout) if told.returncode == 0 else {}

    def cpu_of_all(self):
        """CPU seconds of all processes of the server so far: its workers, and their supervisor."""
        return sum(map(_cpu, [self.process.pid, *_children(self.process.pid)]))

    def manage(self, *arguments):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=SITE,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )

    def json(self, path):
        return json.loads(self.get(path))


def _cpu(pid):
    """Threads that have ended included, as clock_getcpuclockid(3) has it: of this process, in CPU time."""
    return time.clock_gettime((~pid << 3) | 2)


def _children(pid):
    return map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


LOGIN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore
user = get_user_model().objects.create_user("visitor")
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""


class GeventSocketIO(Process):
    """python-socketio on gevent."""

    cookie = ""

    def __init__(self):
        super().__init__(
            lambda self: ["-m", "bench.peers.gevent_socketio", str(self.port)], ROOT, lambda self: {}
        )


@functools.cache
def npm_install():
    """What the peers on Node.js need, into ``bench/peers``."""
    subprocess.run(["npm", "install", "--silent", "--no-package-lock"], cwd=PEERS, check=True)


class NodeSocketIO(Process):
    """Socket.IO's own server, from npm."""

    program = "node"
    cookie = ""

    def __init__(self):
        npm_install()
        super().__init__(lambda self: ["node_socketio.js", str(self.port)], PEERS, lambda self: {})


class Bare(Process):
    """bench/bare.py: a loop of send() over its connections, and nothing else; ``loop`` says which."""

    def __init__(self):
        self.loop = ""
        super().__init__(lambda self: ["-m", "bench.bare", str(self.port)], ROOT, lambda self: {})

    def send(self, count, size):
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as control:
            control.sendall(b"send %d %d\n" % (count, size))
            answer = control.recv(64).decode()
            assert answer.startswith("a loop"), answer
            self.loop = answer

    def pump(self, rate, count, size):
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as control:
            control.sendall(b"pump %d %d %d\n" % (rate, count, size))


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
