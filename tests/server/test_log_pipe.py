import contextlib
import os
import socket
import subprocess

import pytest

from realtime_wall.server.log_pipe import LogPipe
from tests.live import LiveServer, wait_for


def read(fd, size=1 << 20):
    return os.read(fd, size)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, LogPipe(writing)
    os.close(reading)
    os.close(writing)


def fill(log):
    count = 0
    while not log._dropped:
        log.write(b"a line of the log\n")
        count += 1
    return count


def test_what_is_written_is_read(pipe):
    reading, log = pipe
    assert log.write(b"hello\n") == 6

    assert read(reading) == b"hello\n"


def test_a_full_pipe_drops_lines_and_counts_them(pipe):
    reading, log = pipe
    written = fill(log) - 1
    for _ in range(4):
        log.write(b"lost\n")
    lines = read(reading).splitlines()
    log.write(b"again\n")

    text = b"\n".join(lines) + b"\n" + read(reading)
    assert text.count(b"a line of the log\n") in (written, written - 1)
    assert b"5 lines were dropped here: nobody read this log\n" in text
    assert text.endswith(b"again\n")
    assert b"lost" not in text


def test_others_with_the_same_pipe_still_wait_if_they_want_to(pipe):
    _, log = pipe
    log.write(b"x\n")

    assert os.get_blocking(log.fileno())


def test_a_socket_is_treated_the_same():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        log = LogPipe(ours.fileno())
        fill(log)
        assert theirs.recv(5) == b"a lin"
        log.close()


def test_a_pipe_without_a_reader_hurts_nobody():
    reading, writing = os.pipe()
    log = LogPipe(writing)
    os.close(reading)

    assert log.write(b"hello\n") == 6
    os.close(writing)


def test_a_descriptor_may_come_to_lead_elsewhere(pipe, tmp_path):
    reading, log = pipe
    log.write(b"to the pipe\n")
    with open(tmp_path / "log", "wb") as file:
        os.dup2(file.fileno(), log.fileno())
        log.write(b"to the file\n")

    assert read(reading) == b"to the pipe\n"
    assert (tmp_path / "log").read_bytes() == b"to the file\n"


class UnreadServer(LiveServer):
    """Its log goes into a pipe that nobody reads, once it serves."""

    def start(self):
        self.process = subprocess.Popen(
            [self.executable, *self.program, *self.command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        line = b""
        while b"Starting gevent server" not in line:
            line = self.process.stdout.readline()
        self.url = line.split()[-1].decode()
        return self


def test_a_server_whose_log_nobody_reads_serves_on():
    with UnreadServer() as server:
        for _ in range(40):  # 64 KiB of tracebacks and more
            with server.client() as client:
                for number in range(5):
                    assert client.ask("fail", "x" * 400, id=number) == {"error": "failed"}
        stream = server.process.stdout
        os.set_blocking(stream.fileno(), False)
        said = bytearray()

        def is_counted():
            server.get("/hello/")
            with contextlib.suppress(BlockingIOError):
                said.extend(os.read(stream.fileno(), 1 << 20))
            return b"lines were dropped here" in said

        wait_for(is_counted)
        server.stop()
        stream.close()
