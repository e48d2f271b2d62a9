"""Many clients change from polling to a WebSocket while messages flow, on roads of uneven speed."""

import os

import pytest

from tests.live import wait_for

pytestmark = pytest.mark.node

UPGRADES = 1000 if os.environ.get("REALTIME_WALL_PROVE") else 60
AT_ONCE = 20
MESSAGES = 60


@pytest.mark.timeout(60 + UPGRADES)
def test_in_an_upgrade_nothing_is_lost_doubled_or_out_of_order(node, server):
    for start in range(0, UPGRADES, AT_ONCE):
        # How uneven the road is, so that the change falls at another point of the stream each time.
        port = node.slow_road(server, longest=5 + start % 40)
        clients = [node.open(server, port=port) for _ in range(min(AT_ONCE, UPGRADES - start))]
        for client in clients:
            client.emit("stream", MESSAGES)
        for number in range(MESSAGES):
            for client in clients:
                client.emit("up", number)
        for client in clients:
            assert client.wait_heard("down", MESSAGES - 1) == list(range(MESSAGES))
            assert client.wait("upgrade") == "websocket"
            wait_for(lambda client=client: len(client.ask("context")[0]["up"]) >= MESSAGES, "what it said")
            assert client.ask("context")[0]["up"] == list(range(MESSAGES))
            client.tell("disconnect")
