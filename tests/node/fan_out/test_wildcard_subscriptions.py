"""Whoever listens to ``news*`` hears each channel that begins so, once, in order, on every transport."""

import json

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall import (
    NoSocket,
    broadcast_call,
    broadcast_channel,
    cluster,
    connected_sockets,
    publish,
)
from realtime_wall.channels.rules import Rules
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.node.fan_out.wildcard_subscriptions import WildcardSubscriptions
from realtime_wall.node.introspection import statistics
from realtime_wall.testing import Realtime
from realtime_wall.testing.client import TRANSPORTS, ErrorReply
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import wait_for

CHANNELS = {"news.secret": {"READ": False}, "news*": {"WILDCARDS": 1}}


@pytest.fixture
def realtime():
    with override_settings(REALTIME_WALL={"CHANNELS": CHANNELS}), no_receivers(), Realtime() as realtime:
        yield realtime


def heard(client, count):
    found = [client.receive() for _ in range(count)]
    client.assert_nothing_sent()
    return [one.data for one in found]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_channel_that_begins_so_is_heard_those_of_later_too(realtime, transport):
    publish("news.known", 0)
    client = realtime.connect(transport, channels=["news*"])

    publish("news.known", 1)
    publish("sport", 2)
    publish("news.secret", 3)
    publish(f"news.new.{transport}", 4)

    assert heard(client, 2) == [1, 4]
    client.close()


def test_who_listens_by_a_wildcard_is_somebody_on_a_channel_that_is_new(realtime):
    client = realtime.connect("websocket", channels=["news*"])

    assert broadcast_channel("first", "news.new").sockets == 1
    assert broadcast_call("ask", channel="news.newer", timeout=0.01).silent
    assert cluster.subscribe("sport", on="news.newest").sockets == 1
    realtime.settle()
    assert broadcast_channel("x", "sport").sockets == 1
    with pytest.raises(NoSocket):
        broadcast_channel("x", "weather")
    client.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_who_was_away_is_sent_what_it_missed_of_all_of_them(realtime, transport):
    client = realtime.connect(transport, channels=["news*"])
    publish("news.a", 1)
    client.receive()

    client.drop()
    publish("news.a", 2)
    publish(f"news.while_away.{transport}", 3)
    client.reconnect()
    publish("news.a", 4)

    assert heard(client, 3) == [2, 3, 4]
    client.close()


@pytest.mark.parametrize("name", ["sport*", "n*", "news.a*"])
def test_no_more_of_them_than_the_rule_allows(realtime, name):
    client = realtime.connect("websocket", channels=["news*"])

    with pytest.raises(ErrorReply):
        client.subscribe(name)
    client.close()


def test_statistics_count_wildcards_and_who_listens_by_one(realtime):
    client = realtime.connect("eventsource", channels=["news*"])
    publish("news.counted", 1)

    node = realtime.node
    assert statistics.of_channel(node, "news.counted")["subscribers"] == 1
    assert "news*" not in statistics.channels(node)
    summary = statistics.summary(node)
    assert (summary["wildcard_channels"], "news*" in summary["unlogged"]) == (1, False)
    client.close()


def test_a_wildcard_is_no_channel_to_write_on(realtime):
    client = realtime.connect("websocket", channels=["news*", "sport"])

    (socket,) = connected_sockets
    assert socket.send_and_broadcast_channel("hello").sockets == 1
    assert [one.channel for one in realtime.published] == ["sport"]
    client.close()


def test_where_channels_have_to_exist_a_wildcard_may_mean_none_yet():
    with running_node(channels={"news*": {"WILDCARDS": 1, "EXISTING_ONLY": True}}) as node:
        assert node.closed_because("news*") is None
        assert node.closed_because("news.a") == "no_channel"


# Whatever is joined and left, in whatever order

NAMES = ["a", "a.b", "a.c", "x", "a*", "a.*"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["join", "leave"]), st.sampled_from(NAMES)),
        st.tuples(st.just("publish"), st.sampled_from(NAMES[:4])),
        st.tuples(st.just("forget"), st.just("")),
    ),
    max_size=12,
)


@given(STEPS)
def test_a_channel_is_heard_as_long_as_one_of_its_names_is_joined(steps):
    with running_node(channels={"a*": {"WILDCARDS": 5}}) as node:
        client = RecordingTransport(node)
        joined = set()
        for step, name in steps:
            if step == "join":
                node.subscribe(client, {name: 0})
                joined.add(name)
            elif step == "leave":
                node.unsubscribe(client, name)
                joined.discard(name)
            elif step == "forget":
                node._wildcards.tick(0.0)
            else:
                before = len(client.heard)
                publish(name, 1)
                wanted = any(one == name or (one[-1] == "*" and name.startswith(one[:-1])) for one in joined)
                wait_until_delivered(node)
                assert len(client.heard) - before == wanted, (steps, name)
        for name in list(joined):
            node.unsubscribe(client, name)
        assert all(client not in node.subscriptions.snapshot(name) for name in NAMES)


def wait_until_delivered(node):
    wait_for(lambda: node.delivered_position() == node.broker.top)


def test_channels_of_which_nothing_is_left_are_let_go():
    logged = ["news.a"]
    subscriptions = Subscriptions()
    wildcards = WildcardSubscriptions(subscriptions, Rules({"news*": {"WILDCARDS": 1}}), lambda: logged)
    with running_node() as node:
        client = RecordingTransport(node)
        wildcards.add("news*", client)
        assert subscriptions.count("news.a") == 1

        logged.clear()
        wildcards.tick(0.0)

        assert subscriptions.count("news.a") == 0
        wildcards.begin("news.a")
        assert subscriptions.count("news.a") == 1
        assert json.dumps(wildcards.expanded({"x": 0})) == '{"x": 0}'
