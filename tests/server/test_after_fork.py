"""A process that a receiver forks has no clients of its parent's, and no way to its neighbours."""

import signal
import socket
from contextlib import nullcontext

import pytest

from tests.live import LiveServer
from tests.redis_server import RedisServer


@pytest.fixture(scope="module", params=["alone", "workers", pytest.param("redis", marks=pytest.mark.redis)])
def server(request):
    workers = ("--workers", "2") if request.param == "workers" else ()
    with RedisServer() if request.param == "redis" else nullcontext() as redis:
        settings = {"BROKER": redis.url} if redis else {}
        with LiveServer(settings=settings, arguments=("--noreload", *workers)) as running:
            yield running


def heard(client):
    """What it hears of the channel until the marker."""
    found = []
    while (one := client.read()).get("message") != "marker":
        if one.get("channel") == "news" and one["type"] == "message":
            found.append(one["message"])
    return found


@pytest.mark.parametrize(("name", "answer"), [("fork", 7), ("multiprocessing", 0)])
def test_nothing_is_written_a_second_time(server, name, answer):
    with server.client() as forking, server.client() as listening, server.client() as another:
        for client in (listening, another):
            client.subscribe("news")

        assert forking.ask(name) == answer

        server.manage("realtime", "publish", "news", "marker")
        assert heard(listening) == heard(another) == ["from the parent", "from the child"]


@pytest.mark.parametrize("how", ["os.fork", "multiprocessing", "subprocess"])
def test_a_child_holds_no_socket_and_no_lock_of_its_server_and_can_be_ended(server, how):
    with (
        server.client() as forking,
        server.client(),
        socket.create_connection(("127.0.0.1", server.port)) as asking,
    ):
        asking.sendall(b"GET / HTTP/1.1\r\n")  # and the rest of its head never comes
        found = forking.ask("child", how)
        assert forking.ask("terminate", id=2) == -signal.SIGTERM

    assert found == []
