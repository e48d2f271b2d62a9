"""Receivers of what is published, by pattern."""

import asyncio
import logging

import gevent
import pytest

from realtime_wall import api, events
from realtime_wall.events import EventError, on_published
from realtime_wall.node.watchers import WAITING
from tests.fakes import RecordingTransport, running_node


@pytest.fixture(autouse=True)
def no_others(monkeypatch):
    monkeypatch.setattr(events, "published_receivers", kept := [])
    monkeypatch.setattr("realtime_wall.node.node.published_receivers", kept)


def settle(node):
    assert node.pool.wait_until_idle(10)


def test_it_is_called_with_what_is_published_on_channels_that_fit():
    heard = []
    on_published("tweets*")(heard.append)
    with running_node() as node:
        position = api.publish("tweets.python", {"n": 1}, event="tweet", event_id="seven")
        api.publish("news", 2)
        settle(node)

    (one,) = heard
    assert (one.channel, one.data, one.event, one.event_id) == ("tweets.python", {"n": 1}, "tweet", "seven")
    assert one.cursor == str(position)


def test_it_may_be_asynchronous():
    heard = []

    @on_published("a")
    async def hear(message):
        await asyncio.sleep(0)
        heard.append(message.data)

    with running_node() as node:
        api.publish("a", 1)
        settle(node)

    assert heard == [1]


def test_what_is_broadcast_to_all_is_on_no_channel():
    heard = []
    on_published("*")(heard.append)
    with running_node() as node:
        RecordingTransport(node)
        api.broadcast("hello")
        settle(node)

    assert heard == []


def test_what_is_volatile_is_not_in_the_log_and_is_not_told():
    heard = []
    on_published("*")(heard.append)
    with running_node() as node:
        RecordingTransport(node).socket.subscribe("a")
        api.broadcast_emit("moved", 1, channel="a", volatile=True)
        settle(node)

    assert heard == []


def test_it_may_wait_and_has_one_message_after_the_other():
    heard = []

    @on_published("a")
    def slowly(message):
        heard.append(("begins", message.data))
        gevent.sleep(0.001)
        heard.append(("ends", message.data))

    with running_node() as node:
        api.publish("a", 1)
        api.publish("a", 2)
        assert heard == []  # the publisher does not wait
        settle(node)

    assert heard == [("begins", 1), ("ends", 1), ("begins", 2), ("ends", 2)]


def test_one_that_raises_is_named_and_hurts_nobody(caplog):
    heard = []

    @on_published("a")
    def broken(message):
        raise SystemExit("mine")

    on_published("*")(lambda message: heard.append(message.data))
    with running_node() as node:
        api.publish("a", 1)
        api.publish("a", 2)
        settle(node)

    assert heard == [1, 2]
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert errors[0].endswith("broken failed on a message of 'a'")


def test_one_that_is_too_slow_misses_messages_and_the_log_says_so(caplog):
    heard, begun, gate = [], gevent.event.Event(), gevent.event.Event()

    @on_published("a")
    def slow(message):
        begun.set()
        gate.wait()
        heard.append(message.data)

    with running_node() as node:
        api.publish("a", "first")
        begun.wait()
        for number in range(WAITING + 2):
            api.publish("a", number)
        gate.set()
        settle(node)
        api.publish("a", "again")
        settle(node)

    assert heard == ["first", *range(WAITING), "again"]
    assert "too slow" in caplog.text
    assert "has missed 2 messages" in caplog.text


def test_it_is_registered_in_a_way_that_can_work():
    with pytest.raises(EventError, match="takes a pattern"):
        on_published(lambda message: None)
