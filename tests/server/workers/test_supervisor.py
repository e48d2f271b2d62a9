"""``rungevent --workers N``: several processes on one address, of which any may die or be replaced."""

import json
import os
import re
import signal
import socket
import threading
import time
from collections import Counter

import psutil
import pytest
import requests
from websockets.exceptions import ConnectionClosed

from realtime_wall.server import run
from tests.integration.test_nginx import Nginx
from tests.live import PATIENCE, Client, Conversation, LiveServer, wait_for
from tests.management import projects
from tests.server.visitors import Asking, Listening

TWO = ("--noreload", "--workers", "2")
VIEWS = """
import os
from django.http import JsonResponse

def own(request):
    several = request.META["wsgi.multiprocess"]
    return JsonResponse({"pid": os.getpid(), "edition": "first", "several": several})
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return projects.make(tmp_path_factory.mktemp("project"), views=VIEWS)


@pytest.fixture(scope="module")
def one_server(project):
    with projects.serve(project, settings={"WORKER_TIMEOUT": 3.0}, arguments=TWO) as running:
        yield running
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert running.stop() == 0
        assert psutil.wait_procs(family, PATIENCE)[1] == []


@pytest.fixture
def server(one_server, project):
    """One for all tests that leave it with two workers."""
    one_server.views = project / "own" / "views.py"
    yield one_server
    one_server.views.write_text(VIEWS)
    wait_for(lambda: {ask(one_server)["pid"] for _ in range(10)} == set(workers(one_server)), "two workers")
    assert len(workers(one_server)) == 2


def workers(server):
    return [child.pid for child in psutil.Process(server.process.pid).children()]


def ask(server):
    return requests.get(f"http://{server.host}/own/", timeout=PATIENCE).json()


def replaced_times(server):
    return server.output.count("All 2 workers were replaced.")


def reload(server):
    before = replaced_times(server)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: replaced_times(server) > before, "the workers' replacement")


# Serving


def test_what_it_says_is_said_once(server):
    assert server.output.count("Performing system checks...") == 1
    assert server.output.count("unapplied migration(s)") == 1
    assert len(re.findall(r"Starting gevent server at http://\S+/ with 2 workers\n", server.output)) == 1


def test_clients_are_split_evenly_and_told_that_there_are_others(server):
    answers = [ask(server) for _ in range(200)]

    counts = Counter(answer["pid"] for answer in answers)
    assert sorted(counts) == sorted(workers(server))
    assert min(counts.values()) > 60  # of 100 on average; below that once in 10 million runs
    assert all(answer["several"] for answer in answers)


def test_log_lines_say_which_worker_wrote_them(server):
    pid = ask(server)["pid"]

    server.wait_for_log(rf'\] \[{pid}\] "GET /own/ HTTP/1.1" 200')


def test_another_server_cannot_slip_in_on_the_same_port(server):
    for arguments in (TWO, ("--noreload",)):
        other = projects.serve(server.project, address=server.port, arguments=arguments)
        result = other.manage(*other.command)
        other.directory.cleanup()

        assert result.returncode == 1
        assert "that port is already in use" in result.stderr


# Dying


def test_nobody_is_refused_while_a_worker_is_killed(server):
    killed, _ = old = workers(server)
    with Asking(server, "/own/", per_second=50) as asking:
        asking.wait_for_more()
        os.kill(killed, signal.SIGKILL)
        server.wait_for_log(rf"worker \d \(pid {killed}\) was killed by SIGKILL; another one starts")
        (new,) = wait_for(lambda: set(workers(server)) - set(old), "another worker")
        # The other one serves all; four who ask one after the other would soon wait for the new one.
        asking.wait_for_more(20)
        assert f"(pid {new}) serves" not in server.output
        server.wait_for_log(rf"worker \d \(pid {new}\) serves")
        wait_for(lambda: any(json_pid(reply) == new for reply in asking.wait_for_more(10)), "its answer")

    # What the dead worker was just about to answer is gone with it, and nothing else.
    assert len(asking.failures) <= 4
    assert not [failure for failure in asking.failures if "Refused" in str(failure)]


def json_pid(reply):
    return json.loads(reply.body)["pid"]


def test_a_worker_that_hangs_is_killed_and_replaced_and_its_clients_are_served_meanwhile(server):
    (hanging, *_) = before = workers(server)

    os.kill(hanging, signal.SIGSTOP)

    # Each request would find the socket of the one that hangs with a probability of a half.
    assert {ask(server)["pid"] for _ in range(30)} == {before[1]}
    server.wait_for_log(rf"worker \d \(pid {hanging}\) was silent for \d+ s and was killed; another one")
    (new,) = wait_for(lambda: set(workers(server)) - set(before), "another worker")
    server.wait_for_log(rf"worker \d \(pid {new}\) serves")


# Reloading


def test_a_reload_shows_new_code_and_refuses_nobody(server):
    times = 20 if os.environ.get("REALTIME_WALL_PROVE") else 3
    with Listening(server, 10) as listening, Asking(server, "/own/", per_second=100) as asking:
        for number in range(times):
            before = set(workers(server))
            edition = f"edition {number} of {os.getpid()}"
            server.views.write_text(VIEWS.replace("first", edition))

            reload(server)

            assert not set(workers(server)) & before
            assert all(edition.encode() in reply.body for reply in asking.wait_for_more()[4:])
        wait_for(lambda: listening.connected == 10)

    assert asking.failures + listening.failures == []
    assert {reply.status for reply in asking.answers} == {200}
    assert set(listening.told) == {1012}
    assert server.process.poll() is None
    print(f"{times} reloads, {len(asking.answers)} requests, {len(listening.told)} returns")


def test_code_that_cannot_start_leaves_the_old_workers(server):
    before, mark = workers(server), len(server.output)
    server.views.write_text("def own(request) return 1")

    with Asking(server, "/own/", per_second=50) as asking:
        for times in (1, 2):
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_log("2 of 2 are not replaced", times)
        asking.wait_for_more()

    assert workers(server) == before
    assert asking.failures == []
    assert server.output[mark:].count("Traceback") == 1  # it is said once what is wrong
    server.views.write_text(VIEWS)
    reload(server)


# Ending


def test_all_workers_drain_when_the_supervisor_is_told_to_stop():
    with LiveServer(arguments=TWO) as server:
        family = workers(server)
        clients = [server.client() for _ in range(8)]

        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            with client, pytest.raises(ConnectionClosed, match="1012"):
                client.read()

        assert server.process.wait(PATIENCE) == 0
        assert not any(map(psutil.pid_exists, family))


def test_a_second_signal_ends_all_at_once():
    with LiveServer(arguments=TWO, settings={"DRAIN_TIMEOUT": 60.0}) as server:
        family = workers(server)
        with server.talk(b"GET /slower/ HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            server.wait_for_log("slow begins")
            server.process.send_signal(signal.SIGTERM)
            (busy,) = wait_for(lambda: len(workers(server)) == 1 and workers(server), "the idle one's end")
            os.kill(busy, signal.SIGSTOP)  # it can do nothing about a second order
            threading.Event().wait(run.ONE_SIGNAL)
            begun = time.monotonic()

            assert server.stop(signal.SIGINT) == 0

        assert time.monotonic() - begun < 30  # half of what it would wait for the page
        assert not any(map(psutil.pid_exists, family))
        assert "Traceback" not in server.output


def test_a_killed_supervisor_leaves_no_orphan():
    with LiveServer(arguments=TWO) as server, server.client() as client:
        family = [psutil.Process(pid) for pid in workers(server)]

        server.process.kill()

        with pytest.raises(ConnectionClosed, match="1012"):
            client.read()
        assert psutil.wait_procs(family, 5)[1] == []
        assert "Traceback" not in server.output


def test_a_closed_terminal_ends_all_of_them():
    terminal, theirs = os.openpty()
    server = LiveServer(arguments=TWO)
    server.stdin = theirs
    with server:
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("All 2 workers were replaced.")  # it is still open
        os.close(terminal)
        wait_for(lambda: not os.isatty(theirs))
        os.close(theirs)

        assert server.stop(signal.SIGHUP) == 0


def test_a_first_start_that_fails_is_said_once_and_ends_it(tmp_path):
    server = projects.serve(projects.make(tmp_path, views="raise LookupError('of ours')"), arguments=TWO)

    result = server.manage(*server.command)
    server.directory.cleanup()

    assert result.returncode == 1
    assert result.stderr.count("LookupError: of ours") == 1


# Sockets of others

LAUNCHER = """
import os, socket, sys
opened = socket.create_server(("127.0.0.1", 0))
os.dup2(opened.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]])
"""


@pytest.mark.parametrize("count", [1, 2])
def test_the_socket_that_systemd_opened_is_served(count):
    server = LiveServer(program=("-c", LAUNCHER), arguments=("--noreload", "--workers", str(count)))
    with server:
        pids = {ask_meta(server)["SERVER_PORT"] for _ in range(4)}
        assert pids == {str(server.port)}
        assert len(workers(server)) == (count if count > 1 else 0)
        assert server.stop() == 0


def ask_meta(server):
    return requests.get(f"http://{server.host}/meta/", timeout=PATIENCE).json()


@pytest.mark.nginx
def test_two_workers_share_a_unix_socket_behind_nginx(tmp_path, project):
    upstream = tmp_path / "site.sock"
    with projects.serve(project, address=f"unix:{upstream}", arguments=TWO) as server:
        counts = Counter(json_pid(talk_unix(upstream)) for _ in range(100))
        nginx = Nginx(tmp_path, upstream)
        try:
            wait_for(nginx.is_listening, "nginx")
            page = requests.get(f"http://localhost:{nginx.port}/own/", timeout=PATIENCE)
            with Client(f"ws://localhost:{nginx.port}/ws/") as client:
                answer = client.ask("add", [1, 2])
        finally:
            nginx.stop()

        assert sorted(counts) == sorted(workers(server))
        assert min(counts.values()) > 10
        assert (page.json()["several"], answer) == (True, 3)
        assert server.stop() == 0


def talk_unix(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        with Conversation(connection) as conversation:
            conversation.send(b"GET /own/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return conversation.reply()
