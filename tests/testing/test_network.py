"""What a bad network does to a client in a test."""

from time import monotonic

import pytest

from realtime_wall import publish
from realtime_wall.testing import ConnectRefused, Network, Realtime
from tests.fakes import no_receivers


@pytest.fixture
def realtime():
    with no_receivers(), Realtime() as realtime:
        yield realtime


def test_latency_is_waited_for(realtime):
    network = Network(latency=0.02)
    client = realtime.connect(channels=["news"], network=network)
    started = monotonic()

    publish("news", 1)

    assert client.receive().data == 1
    assert monotonic() - started >= 0.02


def test_what_is_lost_comes_late_and_in_its_order(realtime):
    network = Network(seed=3)
    client = realtime.connect(channels=["news"], network=network)
    network.loss = 0.3
    started = monotonic()

    for number in range(6):
        publish("news", number)
        realtime.node.settle()

    assert [client.receive().data for _ in range(6)] == list(range(6))
    assert monotonic() - started >= 0.2


def test_a_half_open_connection_ends_when_nobody_answers(realtime):
    network = Network()
    client = realtime.connect(channels=["news"], network=network)
    socket = client.socket

    network.half_open()
    publish("news", 1)
    client.assert_nothing_sent()
    assert client.closed is None
    realtime.clock.advance(3 * realtime.node.config.ping_interval)

    assert realtime.node.subscriptions.count("news") == 0
    assert socket not in realtime.node.listeners


def test_what_was_held_up_arrives(realtime):
    network = Network()
    client = realtime.connect("eventsource", channels=["news"], network=network)

    network.half_open()
    publish("news", 1)
    network.mend()

    assert client.receive().data == 1


def test_a_connection_that_is_cut_is_resumed(realtime):
    network = Network()
    client = realtime.connect("socketio", channels=["news"], network=network)
    publish("news", 1)
    client.receive()
    session = client.session_id

    network.cut()
    realtime.settle()
    assert client.closed is not None
    publish("news", 2)
    client.reconnect()

    assert (client.receive().data, client.session_id) == (2, session)


def test_a_proxy_that_buffers_holds_a_stream_back_and_lets_a_websocket_pass(realtime):
    network = Network()
    stream = realtime.connect("stream", channels=["news"], network=network)
    network.buffering = 4096
    late = realtime.connect("websocket", channels=["news"], network=network)
    held = Network(buffering=4096)
    publish("news", 1)

    assert late.receive().data == 1
    assert stream.receive().data == 1
    with pytest.raises(ConnectRefused):
        realtime.connect("eventsource", channels=["news"], network=held, timeout=0.05)
