"""A program of Python's, started by fork_server.py: as a Popen object, where it matters to tests."""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

PROGRAM = Path(__file__).with_name("fork_server.py")
ROOT = PROGRAM.parent.parent


def environment():
    """A fork server's own; each program has one of its own."""
    ours = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return {**ours, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def of_the_interpreter(environment):
    """What Python and gevent read as they start; a fork has it from its server."""
    words = ("PYTHON", "GEVENT", "LD_", "LC_", "LANG", "MALLOC_")
    return {key: value for key, value in environment.items() if key.startswith(words) and key != "PYTHONPATH"}


@cache
def fork_server(kind):
    """The way to one, from its first use until this process ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen([sys.executable, PROGRAM, kind], env=environment(), cwd=ROOT, stdin=theirs)
    atexit.register(end, ours, process)
    return ours


def end(ours, process):
    ours.close()
    with contextlib.suppress(subprocess.TimeoutExpired):  # of one that a test has left running
        process.wait(5)


class Forked:
    """``python script argument ...``, with or without gevent's patches."""

    def __init__(self, command, *, patched, cwd, env, stdin, stdout, stderr):
        self.args, self.returncode = command, None
        self._words = b""
        request = {
            "command": [str(word) for word in command],
            "folder": str(cwd),
            "environment": env,
        }
        self._reply, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as file, contextlib.ExitStack() as stack:
            file.write(json.dumps(request).encode())
            file.seek(0)
            if stdin is subprocess.DEVNULL:
                stdin = stack.enter_context(open(os.devnull, "rb"))
            descriptors = [one.fileno() for one in (stdin, stdout, stderr, theirs, file)]
            socket.send_fds(fork_server("patched" if patched else "plain"), [b"a program"], descriptors)
        self.pid = int(self._word())

    def __del__(self):
        self._reply.close()

    def _word(self):
        """The next line that its keeper sends."""
        while b"\n" not in self._words:
            data = self._reply.recv(100)
            if not data:
                raise RuntimeError("the fork server ended; what it said is above")
            self._words += data
        word, _, self._words = self._words.partition(b"\n")
        return word

    def poll(self):
        with contextlib.suppress(TimeoutError, BlockingIOError, subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            self._reply.settimeout(timeout)
            try:
                self.returncode = int(self._word())
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout) from None
            except (RuntimeError, OSError):
                if self.returncode is None:  # another greenlet was told meanwhile
                    raise
            self._reply.close()
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run(command, *, input=None, cwd, env, timeout):
    """As subprocess.run() with what it says, in text; without gevent's patches, as a command is typed."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write((input or "").encode())
        stdin.seek(0)
        process = Forked(command, patched=False, cwd=cwd, env=env, stdin=stdin, stdout=out, stderr=err)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode().replace("\r\n", "\n"))
    return subprocess.CompletedProcess(command, process.returncode, *said)
