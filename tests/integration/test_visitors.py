"""Visitors who listen to words of their own, on a real server."""

import pytest
import socketio

from tests.browser import ExampleServer, Shell
from tests.live import wait_for
from tests.wall.posts import make_post


@pytest.fixture(scope="module")
def office(migrated_wall):
    with ExampleServer("example_wall", migrated_wall, wall={"SOURCES": [], "VISITORS": True}) as server:
        shell = Shell(server)
        yield server, shell
        shell.close()


def test_a_visitor_hears_what_has_the_word_until_it_stops(office):
    server, shell = office
    with server.client() as visitor, server.client() as other:
        assert visitor.ask("listen", "#tides") == {"success": True, "term": "#tides"}
        assert other.ask("listen", "gulls", id=7) == {"success": True, "term": "gulls"}
        first = make_post(text="high #tides")
        shell.post(make_post(text="tides without a hash"), first)

        heard = visitor.read_until(lambda one: one["type"] == "tweet")
        assert heard["message"]["id"] == first["id"]
        assert "channel" not in heard and "cursor" not in heard

        assert visitor.ask("stop") == {"success": True}
        shell.post(make_post(text="more #tides"), make_post(text="gulls"))
        heard = other.read_until(lambda one: one["type"] == "tweet")
        assert heard["message"]["text"] == "gulls"
        assert visitor.ask("listen", 5)["success"] is False  # nothing came in between


def test_on_socketio_too(office):
    server, shell = office
    visitor = socketio.SimpleClient()
    visitor.connect(f"http://{server.host}", transports=["websocket"])
    try:
        assert visitor.call("listen", "crabs") == {"success": True, "term": "crabs"}
        shell.post(make_post(text="gulls"), make_post(text="crabs"))
        while (heard := visitor.receive(timeout=10))[0] != "tweet":
            pass  # our own events about channels
    finally:
        visitor.disconnect()

    assert heard[1]["text"] == "crabs"


def test_who_leaves_is_forgotten(office):
    server, shell = office
    with server.client() as visitor:
        visitor.ask("listen", "whelks")
    with server.client() as other:
        other.ask("listen", "whelks")
        shell.post(make_post(text="whelks"))
        assert other.read_until(lambda one: one["type"] == "tweet")["message"]["text"] == "whelks"

    assert wait_for(lambda: "Traceback" not in server.output)
