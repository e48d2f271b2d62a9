"""Clients that leave the last slash out, which can follow no redirect."""

import pytest

from tests.live import Client, LiveServer


@pytest.fixture(scope="module")
def server():
    with LiveServer() as server:
        yield server


def test_the_plain_websocket_is_at_ws_too(server):
    with Client(f"ws://{server.host}/ws") as client:
        assert client.ask("add", [1, 2]) == 3


def test_socketio_is_there_without_the_slash_too(server):
    handshake = server.get("/socket.io?EIO=4&transport=polling")

    assert (handshake.status, handshake.body[:1]) == (200, b"0")


def test_the_health_page_is_there_without_the_slash_too(server):
    assert server.get("/health").status == 200
