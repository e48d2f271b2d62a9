"""A real server in a process of its own, and a client to talk to it.

The server listens on a free port of the loopback and ends with the test. ``with LiveServer() as server``
gives ``server.port``; ``Client`` speaks the plain WebSocket.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from realtime_wall.server.monkey_patch import PATCHED
from tests import forked
from tests.forked import Forked

ROOT = Path(__file__).parent.parent
SITE = Path(__file__).parent / "site"
PATIENCE = 20


class LiveServer:
    """``manage.py rungevent`` of tests/site, or of another project.

    :class:`TypedServer` is started as people start it.
    """

    executable = sys.executable
    stdin = subprocess.DEVNULL

    def __init__(
        self,
        *,
        project=SITE,
        address="0",
        settings=None,
        environment=None,
        arguments=("--noreload",),
        flags=(),
        program=("manage.py",),
        folder=None,
    ):
        self.project = Path(project)
        self.folder = folder or self.project  # where the command is given
        self.program = self._with_patches(program)
        self.flags = list(flags)
        self.command = ["rungevent", str(address), *arguments]
        self.directory = tempfile.TemporaryDirectory(prefix="rw")
        self.log = Path(self.directory.name, "log")
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "SITE_DATABASE": str(Path(self.directory.name, "db.sqlite3")),
            # By default each test server is a project of its own: two never share a bus.
            "SITE_REALTIME_WALL": json.dumps({"RUNTIME_DIR": self.directory.name, **(settings or {})}),
            **(environment or {}),
        }
        # Ours is the tests' own; each project names its settings in its manage.py.
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.process = None
        self.url = ""

    def _with_patches(self, program):
        """As the command starts itself again: to find out that it has to takes as long as the rest."""
        is_a_script = program[0].endswith(".py") and self.folder == self.project
        return [str(PATCHED), str(self.project), *program] if is_a_script else program

    def manage(self, *arguments, **kwargs):
        """Run another command of the same project, as a shell or cron would."""
        how = {"cwd": self.project, "env": self.environment, "timeout": PATIENCE * 2, **kwargs}
        if self.may_be_forked and kwargs.keys() <= {"input"}:
            return forked.run([self.executable, "manage.py", *arguments], **how)
        command = [self.executable, *self.flags, "manage.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True, **how)

    @property
    def may_be_forked(self):
        """Whether nothing asks for an interpreter of its own."""
        same = forked.of_the_interpreter(self.environment) == forked.of_the_interpreter(forked.environment())
        return self.executable == sys.executable and not self.flags and same

    def start(self):
        with open(self.log, "ab") as log:
            how = {
                "cwd": self.folder,
                "env": self.environment,
                "stdout": log,
                "stderr": log,
                "stdin": self.stdin,
            }
            command = [self.executable, *self.flags, *self.program, *self.command]
            if self.may_be_forked and self.program[0] == str(PATCHED) and self.stdin is subprocess.DEVNULL:
                self.process = Forked(command, patched=True, **how)
            else:
                self.process = subprocess.Popen(command, **how)
        # It imports all of Django: where a request takes a second, this takes twenty.
        started = self.wait_for_log(r"Starting gevent server at (\S+)", patience=3 * PATIENCE)
        self.url = started[-1]
        return self

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    @property
    def port(self):
        return int(re.search(r":(\d+)/$", self.url)[1])

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def wait_for_log(self, pattern, count=1, patience=PATIENCE):
        """All matches of a pattern in the server's output, once there are that many."""

        def matches():
            found = re.findall(pattern, self.output)
            if len(found) < count and self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.output}")
            return found if len(found) >= count else None

        return wait_for(matches, f"{pattern!r} in the server's output", patience)

    def stop(self, number=signal.SIGTERM):
        """End the server; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        wait_for(self._clean_up, "the end of its workers")

    def _clean_up(self):
        """Workers of a supervisor that was killed see it a moment later, and may write there until then."""
        try:
            self.directory.cleanup()
        except OSError:
            return False
        return True

    def client(self, query="", **kwargs):
        return Client(f"ws://{self.host}/ws/{query}", **kwargs)

    def raw(self, data=b""):
        """A TCP connection with some bytes sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        if data:
            connection.sendall(data)
        return connection

    def talk(self, data=b""):
        return Conversation(self.raw(data))

    def get(self, path, *headers):
        """One page, on a connection of its own."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "Connection: close", *headers, "", ""]
        with self.talk("\r\n".join(lines).encode("latin-1")) as conversation:
            return conversation.reply()


class TypedServer(LiveServer):
    """``manage.py rungevent``, word for word."""

    def _with_patches(self, program):
        return program


class Conversation:
    """HTTP by hand on one TCP connection: bytes go out as they are, replies are read one by one."""

    def __init__(self, connection):
        self.connection = connection
        self.stream = connection.makefile("rb")

    def send(self, data):
        self.connection.sendall(data)

    def reply(self, has_body=True):
        """The next reply, its body read by its length or its chunks; None when the server has closed."""
        try:
            status_line = self.stream.readline()
        except ConnectionError:
            return None
        if not status_line:
            return None
        head = []
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            head.append((name.lower(), value.strip()))
        headers = dict(head)
        status = int(status_line.split()[1])
        body = b""
        if has_body and status >= 200:
            if headers.get("transfer-encoding") == "chunked":
                while size := int(self.stream.readline(), 16):
                    body += self.stream.read(size)
                    self.stream.readline()
                self.stream.readline()
            else:
                body = self.stream.read(int(headers.get("content-length", 0)))
        return Reply(status, headers, body, head)

    def rest(self):
        """Everything until the server closes; a reset counts as closed."""
        try:
            return self.stream.read()
        except ConnectionError:
            return b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.connection.close()


class Reply(NamedTuple):
    status: int
    headers: dict
    body: bytes
    head: list  # every header, repeated ones too


class Client:
    """A plain WebSocket; the welcome has been read."""

    def __init__(self, url, *, origin=None, additional_headers=None, extensions=None):
        uri = parse_uri(url)
        # websockets' protocol on a socket of our own: its threaded client does not survive gevent.
        self.protocol = ClientProtocol(uri, origin=origin, extensions=extensions)
        self.connection = socket.create_connection((uri.host, uri.port), PATIENCE)
        request = self.protocol.connect()
        request.headers.update(additional_headers or {})
        self.protocol.send_request(request)
        try:
            while self.protocol.state is State.CONNECTING:
                self._exchange()
            if self.protocol.handshake_exc is not None:
                raise self.protocol.handshake_exc
            self._events = deque(self.protocol.events_received()[1:])  # behind the response
            self._begin()
        except BaseException:
            self.connection.close()
            raise

    def _begin(self):
        self.welcome = self.read()
        self.session = self.welcome["message"]["session"]

    def _exchange(self, timeout=PATIENCE):
        """Send what is to be sent, wait for what comes."""
        self._flush()
        self.connection.settimeout(timeout)
        data = self.connection.recv(65536)
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        self._flush()

    def _flush(self):
        for data in self.protocol.data_to_send():
            try:
                if data:
                    self.connection.sendall(data)
                else:
                    self.connection.shutdown(socket.SHUT_WR)
            except OSError:
                return  # the other end is gone, as reading will tell

    def read(self, timeout=PATIENCE):
        """The next message; ConnectionClosed with its code when there will be none."""
        while True:
            self._events.extend(self.protocol.events_received() if not self._events else ())
            while self._events:
                frame = self._events.popleft()
                if frame.opcode is Opcode.TEXT:
                    return json.loads(frame.data)
            if self.protocol.state is State.CLOSED:
                raise self.protocol.close_exc
            try:
                self._exchange(timeout)
            except ConnectionError:
                self.protocol.receive_eof()

    def tell(self, value):
        self.protocol.send_text((value if isinstance(value, str) else json.dumps(value)).encode())
        self._flush()

    def ask(self, name, message=None, id=1):
        """Emit an event and return what it was acknowledged with."""
        self.tell({"type": name, "message": message, "id": id})
        answer = self.read_until(lambda one: one["type"] in ("ack", "error") and one.get("id") == id)
        return answer["message"]

    def subscribe(self, channel, since=None):
        self.tell({"type": "subscribe", "channel": channel, "since": since, "id": "subscribe"})
        return self.read_until(lambda one: one.get("id") == "subscribe")

    def read_until(self, wanted):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            one = self.read()
            if wanted(one):
                return one
        raise AssertionError("it did not come")

    def close(self):
        if self.protocol.state is State.OPEN:
            self.protocol.send_close(1000)
            try:
                while self.protocol.state is not State.CLOSED:
                    self._exchange()
                    self.protocol.events_received()
            except OSError:
                pass  # it has not waited for our goodbye
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawClient(Client):
    """A WebSocket of another protocol: what is read is a str or bytes, as it came."""

    def _begin(self):
        pass

    def read(self, timeout=PATIENCE):
        while True:
            self._events.extend(self.protocol.events_received() if not self._events else ())
            while self._events:
                frame = self._events.popleft()
                if frame.opcode is Opcode.TEXT:
                    return frame.data.decode()
                if frame.opcode is Opcode.BINARY:
                    return frame.data
            if self.protocol.state is State.CLOSED:
                raise self.protocol.close_exc
            try:
                self._exchange(timeout)
            except ConnectionError:
                self.protocol.receive_eof()

    def send(self, data):
        send = self.protocol.send_text if isinstance(data, str) else self.protocol.send_binary
        send(data.encode() if isinstance(data, str) else data)
        self._flush()


def wait_for(condition, what="it", patience=PATIENCE):
    """The first true value of ``condition()``."""
    deadline = time.monotonic() + patience
    pause = threading.Event()
    while time.monotonic() < deadline:
        if value := condition():
            return value
        pause.wait(0.02)
    raise AssertionError(f"waited {patience} s in vain for {what}")
