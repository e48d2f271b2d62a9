"""``rungevent`` while its files are being edited."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys

import gevent
import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.live import PATIENCE, wait_for
from tests.management import projects
from tests.site_tables import with_tables

STARTED = r"Starting gevent server at (\S+)"
SAVES = 20 if os.environ.get("REALTIME_WALL_PROVE") else 2
SECOND = projects.VIEWS.replace("first", "second")


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path)


@pytest.fixture
def server(project):
    with with_tables(projects.serve(project, environment={"SITE_DEBUG": "1"}, arguments=())) as running:
        family = psutil.Process(running.process.pid).children(recursive=True)
        yield running
        if running.process.poll() is None:
            running.stop()
        psutil.wait_procs(family, PATIENCE)


def edit(path, text):
    """Save a file as an editor does, with a time of its own however fast we are."""
    newer = path.stat().st_mtime + 2 if path.exists() else None
    path.write_text(text)
    if newer is not None:
        os.utime(path, (newer, newer))


def wait_for_start(server, count):
    server.url = server.wait_for_log(STARTED, count)[-1]


def mend(server, path, text):
    """Save until it is noticed: the first time may come before anybody watches the file."""

    def is_noticed():
        edit(path, text)
        with contextlib.suppress(AssertionError):
            return wait_for(lambda: len(re.findall(STARTED, server.output)) > 1, patience=4)

    wait_for(is_noticed)
    wait_for_start(server, 2)


def test_an_edited_file_is_loaded(server, project):
    assert server.get("/own/").body == b"first"

    edit(project / "own" / "views.py", SECOND)
    wait_for_start(server, 2)

    assert server.get("/own/").body == b"second"
    assert server.process.poll() is None


def test_a_file_with_a_mistake_is_shown_and_may_be_mended(server, project):
    edit(project / "own" / "views.py", "def own(request) return 1")
    server.wait_for_log("SyntaxError")

    mend(server, project / "own" / "views.py", SECOND)

    assert server.get("/own/").body == b"second"


def test_an_app_that_cannot_be_imported_is_shown_and_may_be_mended(server, project):
    edit(project / "own" / "__init__.py", "raise LookupError('of ours')")
    server.wait_for_log("LookupError: of ours")

    mend(server, project / "own" / "__init__.py", "")

    assert server.get("/own/").body == b"first"


def test_while_a_mistake_is_mended_the_code_before_it_serves(server, project):
    edit(project / "own" / "__init__.py", "raise LookupError('of ours')")
    server.wait_for_log("LookupError: of ours")

    assert server.get("/own/").body == b"first"
    assert server.stop() == 0


class Visitor:
    """A page that subscribes, and comes back with its cursor whenever it is cut."""

    def __init__(self, server):
        self.server = server
        self.heard, self.gaps, self.refused, self.visits = [], 0, 0, 0
        self._cursor, self._is_over = None, False
        self.ready = gevent.event.Event()
        self._greenlet = gevent.spawn(self._run)

    def _run(self):
        while not self._is_over:
            try:
                with self.server.client() as client:
                    self.visits += 1
                    self._listen(client)
            except ConnectionRefusedError:
                self.refused += 1
            except (ConnectionClosed, OSError):
                continue

    def _listen(self, client):
        client.tell({"type": "subscribe", "channel": "saves", "since": self._cursor, "id": 1})
        while not self._is_over:
            try:
                message = client.read(timeout=1)
            except TimeoutError:
                continue
            self.gaps += message["type"] == "gap"
            if message["type"] == "subscribed":
                self._cursor = self._cursor or message["cursor"]
                self.ready.set()
            elif message.get("channel") == "saves" and message["type"] == "message":
                self.heard.append(message["message"])
                self._cursor = message["cursor"]

    def stop(self):
        self._is_over = True
        self._greenlet.get(timeout=PATIENCE)


def publish(server, number):
    body = str(number).encode()
    head = f"POST /events/pub/saves HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n"
    with server.talk(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body) as conversation:
        return conversation.reply().status


def test_a_save_under_traffic_loses_nothing_and_refuses_nobody(server, project):
    visitor = Visitor(server)
    assert visitor.ready.wait(PATIENCE)
    published = []
    for save in range(SAVES):
        edit(project / "own" / "views.py", [SECOND, projects.VIEWS][save % 2])
        while len(re.findall(STARTED, server.output)) < save + 2 or visitor.visits < save + 2:
            assert publish(server, len(published)) == 200
            published.append(len(published))
            gevent.sleep(0.02)  # fifty a second
    wait_for(lambda: len(visitor.heard) >= len(published), "the last message")
    visitor.stop()

    assert [int(number) for number in visitor.heard] == published
    assert (visitor.gaps, visitor.refused) == (0, 0)


def test_a_port_in_use_ends_it(project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = projects.serve(
            project, environment={"SITE_DEBUG": "1"}, arguments=(), address=taken.getsockname()[1]
        )
        result = server.manage(*server.command)
        server.directory.cleanup()

    assert result.returncode == 1
    assert result.stderr.endswith("cannot be listened on: that port is already in use.\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_first_process_ends_them_all(server, number):
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert len(family) == 1
    before = server.output

    assert server.stop(number) == 0

    assert psutil.wait_procs(family, PATIENCE)[1] == []
    assert server.output == before


def test_control_c_lets_a_request_finish(server):
    """A terminal sends it to both processes at once, and the first one passes it on."""
    (child,) = psutil.Process(server.process.pid).children()
    with server.talk(b"GET /slow/ HTTP/1.1\r\nHost: localhost\r\n\r\n") as conversation:
        server.wait_for_log("slow begins")
        server.process.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGINT)

        assert conversation.reply().body == b"slow"
    assert server.process.wait(PATIENCE) == 0


def test_with_debug_off_nothing_is_watched(project):
    with projects.serve(project, arguments=()) as server:
        assert psutil.Process(server.process.pid).children() == []
        assert "Watching for file changes" not in server.output


# With several workers


@pytest.fixture
def workers(project):
    """A server of two workers, and who they are."""
    arguments = ("--workers", "2")
    with projects.serve(project, environment={"SITE_DEBUG": "1"}, arguments=arguments) as running:
        yield running
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert running.stop() == 0
        assert psutil.wait_procs(family, PATIENCE)[1] == []


def test_an_edited_file_is_loaded_by_all_workers(workers, project):
    edit(project / "own" / "views.py", SECOND)
    workers.wait_for_log("All 2 workers were replaced.")

    assert {workers.get("/own/").body for _ in range(10)} == {b"second"}
    assert re.findall(r"views.py changed, reloading\.", workers.output)


def test_a_mistake_leaves_the_old_workers_and_may_be_mended_where_it_is(workers, project):
    edit(project / "own" / "new.py", "def own(request) return 1")
    edit(project / "own" / "views.py", f"from own import new\n{SECOND}")
    workers.wait_for_log("own/new.py.*\n.*\n.*\nSyntaxError(?s:.*)")
    assert {workers.get("/own/").body for _ in range(10)} == {b"first"}

    def is_noticed():
        edit(project / "own" / "new.py", "")
        with contextlib.suppress(AssertionError):
            return wait_for(lambda: "All 2 workers were replaced." in workers.output, patience=8)

    wait_for(is_noticed, patience=60)

    assert {workers.get("/own/").body for _ in range(10)} == {b"second"}


def test_a_mistake_at_the_start_may_be_mended_with_workers_too(tmp_path):
    project = projects.make(tmp_path, views="def own(request) return 1")
    server = projects.serve(project, environment={"SITE_DEBUG": "1"}, arguments=("--workers", "2"))
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            [sys.executable, "manage.py", *server.command],
            cwd=project,
            env=server.environment,
            stdout=log,
            stderr=log,
        )
    try:
        server.wait_for_log("SyntaxError")
        mend_start(server, project / "own" / "views.py")
        assert server.get("/own/").body == b"first"
        assert server.stop() == 0
    finally:
        server.__exit__()


def mend_start(server, path):
    def is_noticed():
        edit(path, projects.VIEWS)
        with contextlib.suppress(AssertionError):
            return wait_for(lambda: re.findall(STARTED, server.output), patience=8)

    wait_for(is_noticed, patience=60)
    wait_for_start(server, 1)
