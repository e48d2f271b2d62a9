"""Several servers of one site, by every way that joins them: who speaks to one, speaks to all."""

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest

from tests.live import PATIENCE, ROOT, SITE, LiveServer
from tests.redis_server import RedisServer

# A program of its own, as cron or a worker of Celery would be: nothing patched, no server in it.
PROGRAM = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
import django
django.setup()
assert "gevent.monkey" not in sys.modules or not sys.modules["gevent.monkey"].saved
"""


class Cluster:
    """Two doors to one site: each is a server, or the address that several workers share."""

    def __init__(self, first, second):
        self.doors = first, second
        self._stack = ExitStack()

    def client(self, door):
        return self._stack.enter_context(self.doors[door].client())

    def run(self, code):
        """What a program prints: its last line."""
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM + code],
            env={**self.doors[0].environment, "PYTHONPATH": f"{ROOT}:{SITE}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
        )
        return (result.stderr if result.returncode else result.stdout).strip().splitlines()[-1]


@contextmanager
def by_redis():
    with RedisServer() as redis:
        settings = {"BROKER": redis.url}
        with LiveServer(settings=settings) as first, LiveServer(settings=settings) as second:
            yield Cluster(first, second)


@contextmanager
def by_a_hub():
    """The second command of a project on one machine joins the first."""
    with LiveServer() as first:
        settings = {"RUNTIME_DIR": first.directory.name}
        with LiveServer(settings=settings) as second:
            yield Cluster(first, second)


@contextmanager
def by_a_supervisor():
    with LiveServer(arguments=("--noreload", "--workers", "2")) as server:
        yield Cluster(server, server)


numbers = count(1)
WAYS = [by_redis, by_a_hub, by_a_supervisor]


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way.__name__)
def cluster(request):
    with request.param() as cluster:
        yield cluster
        cluster._stack.close()
        assert "Traceback" not in cluster.doors[0].output + cluster.doors[1].output


@pytest.fixture(scope="module")
def crowd(cluster):
    """Of both servers; workers share their clients by chance, so there are some more."""
    return [cluster.client(number % 2) for number in range(6)]


@pytest.fixture
def clients(crowd):
    """Those, having read all that tests before have sent them."""
    for client in crowd:
        client.subscribe(f"read {next(numbers)}")
    return crowd


def test_clients_of_different_servers_have_different_owners(cluster, clients):
    owners = {client.session.partition(".")[0] for client in clients}

    assert len(owners) == 2 or cluster.doors[0] is cluster.doors[1]


def test_a_program_reaches_the_clients_of_all_servers(cluster, clients):
    said = cluster.run("from realtime_wall import broadcast; print(broadcast('hello'))")

    assert [client.read()["message"] for client in clients] == ["hello"] * 6
    assert said.startswith("reached 6 sockets in 2 processes, 0 queued, 0 dropped, position ")


def test_so_does_a_view_of_one_server(cluster, clients):
    answer = json.loads(cluster.doors[1].get("/broadcast/?message=hello").body)

    assert [client.read()["message"] for client in clients] == ["hello"] * 6
    assert answer == {"sockets": 6}


def test_each_client_can_be_written_to_from_anywhere(cluster, clients):
    sessions = [client.session for client in clients]
    cluster.run(f"from realtime_wall import send; [send(one, one[-3:]) for one in {sessions}]; print('done')")

    assert [client.read()["message"] for client in clients] == [one[-3:] for one in sessions]


def test_all_clients_are_asked_and_answer(cluster, clients):
    code = "from realtime_wall import broadcast_call as ask; print(len(ask('where', timeout=0.5).silent))"

    assert cluster.run(code) == "6"


def test_nobody_on_any_server_is_nobody(cluster):
    code = "from realtime_wall import broadcast_channel as say; say('hello', 'an empty room')"

    assert "NoSocket" in cluster.run(code)


def test_the_order_is_the_same_for_all(cluster, clients):
    for client in clients:
        client.subscribe("news")
    code = "from realtime_wall import publish; [publish('news', [{0}, n]) for n in range(50)]; print('done')"
    environment = {**cluster.doors[0].environment, "PYTHONPATH": f"{ROOT}:{SITE}"}
    programs = [
        subprocess.Popen([sys.executable, "-c", PROGRAM + code.format(number)], env=environment)
        for number in range(3)
    ]
    assert [one.wait(PATIENCE * 2) for one in programs] == [0, 0, 0]

    heard = [[client.read() for _ in range(150)] for client in clients]
    orders = [[(one["cursor"], one["message"]) for one in messages] for messages in heard]
    assert orders[1:] == orders[:1] * 5
    assert sorted(message for _, message in orders[0]) == [[p, n] for p in range(3) for n in range(50)]


def test_who_comes_back_to_another_server_misses_nothing(cluster):
    first, second = cluster.doors
    with first.client() as client:
        cursor = client.subscribe("talks")["cursor"]
    said = [cluster.run(f"from realtime_wall import publish; print(publish('talks', {n}))") for n in range(3)]

    for door in (second, first, second):
        with door.client() as client:
            answer = client.subscribe("talks", since=cursor)
            assert [client.read()["message"] for _ in range(3)] == [0, 1, 2]
            assert answer["type"] == "subscribed"
            assert said[-1].startswith(cursor.split(":")[0])


def test_a_shell_sees_the_statistics_of_all(cluster, clients):
    for client in clients:
        client.subscribe("counted")
    told = cluster.doors[0].manage("realtime", "stats", "--json", "counted")

    assert json.loads(told.stdout)["subscribers"] == 6, told.stderr


def test_a_shell_follows_what_is_published_anywhere(cluster):
    cluster.run("from realtime_wall import publish; publish('followed', 'one'); print('done')")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "realtime", "tail", "followed", "--last", "1"],
        cwd=SITE,
        env=cluster.doors[0].environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(process.stdout.readline())["data"] == "one"
        cluster.doors[1].manage("realtime", "publish", "followed", "two")
        assert json.loads(process.stdout.readline())["data"] == "two"
    finally:
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()
