"""A process that a receiver forks has no clients of its parent's."""

import signal

import pytest

from tests.live import LiveServer


@pytest.fixture(scope="module", params=[(), ("--workers", "2")], ids=["alone", "workers"])
def server(request):
    with LiveServer(arguments=("--noreload", *request.param)) as running:
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


def test_a_child_holds_no_client_and_can_be_ended(server):
    with server.client() as forking:
        alone = forking.ask("child")
        assert forking.ask("terminate", id=2) == -signal.SIGTERM
        clients = [server.client() for _ in range(20)]
        beside_others = forking.ask("child", id=3)
        assert forking.ask("terminate", id=4) == -signal.SIGTERM
        for client in clients:
            client.close()

    assert alone == beside_others
