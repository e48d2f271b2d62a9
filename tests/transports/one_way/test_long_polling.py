import json

import pytest

from realtime_wall.brokers.commands import Publish
from realtime_wall.transports.one_way.long_polling import Body, LongPoll
from tests.fakes import RecordingWire, running_node
from tests.live import wait_for


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def publish(node, channel, *values):
    commands = [Publish(channel=channel, data_json=json.dumps(one)) for one in values]
    positions = [node.perform(command).position for command in commands]
    wait_for(lambda: node.delivered_position() == node.broker.top)
    return positions


def poll(node, *channels, since=None, callback=None):
    wire = RecordingWire()
    waiting = LongPoll(node, wire, [("X-Site", "seen")], Body(node, callback), None)
    waiting.begin(channels, since or node.broker.top)
    return waiting, wire


def answer(wire):
    head, _, body = wire.written.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return status.split(" ", 1)[1], dict(line.split(": ", 1) for line in lines), body


def test_it_waits_and_is_answered_once_with_what_comes_first(node):
    _, wire = poll(node, "a", "b")
    assert wire.written == b""
    (position,) = publish(node, "b", "hello")
    publish(node, "a", "later")

    status, headers, body = answer(wire)
    assert status == "200 OK"
    assert json.loads(body)["text"] == "hello"
    assert headers["ETag"] == f'W/"{position}"'
    assert headers["Content-Length"] == str(len(body))
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["X-Site"] == "seen"
    assert wire.ended == "answered"
    assert node.listeners == set()
    assert node.subscriptions.count("a") == 0


def test_what_was_published_on_the_way_here_is_the_answer(node):
    before = node.broker.top
    publish(node, "a", 1, 2)
    _, wire = poll(node, "a", since=before)

    assert [json.loads(one)["text"] for one in answer(wire)[2].split("\r\n")] == [1, 2]


def test_in_vain_it_ends_with_304_and_from_where_to_go_on(node):
    waiting, wire = poll(node, "a")
    publish(node, "elsewhere", 1)
    waiting.tick(0.0)

    status, headers, body = answer(wire)
    assert (status, body) == ("304 Not Modified", "")
    assert headers["ETag"] == f'W/"{node.broker.top}"'
    assert "Content-Length" not in headers


def test_a_server_that_stops_ends_it_the_same_way(node):
    waiting, wire = poll(node, "a")
    waiting.end("the server restarts")

    assert answer(wire)[0] == "304 Not Modified"


@pytest.mark.threat("S56")
def test_as_a_script_it_is_a_call(node):
    _, wire = poll(node, "a", callback="call.back")
    publish(node, "a", "hello")

    _, headers, body = answer(wire)
    assert headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert body.startswith('/**/call.back([{"id":1,') and body.endswith("}]);")


def test_a_client_that_goes_leaves_nothing(node):
    _, wire = poll(node, "a")
    wire.abort("closed by the client")

    assert node.listeners == set()
    assert node.subscriptions.count("a") == 0


def test_an_answer_that_nobody_reads_ends(node):
    class Slow(RecordingWire):
        def finish(self, reason):
            """It waits for the outbox."""

    wire = Slow()
    waiting = LongPoll(node, wire, [], Body(node), None)
    waiting.begin(("a",), node.broker.top)
    publish(node, "a", 1)
    waiting.tick(0.0)

    assert wire.ended == "stopped reading"


def test_a_rule_may_have_it_answered_by_a_message_when_it_waited_in_vain():
    with running_node(channels={"a": {"TIMEOUT_WITH_BODY": True}}) as node:
        waiting, wire = poll(node, "a")
        waiting.end("waited in vain")

        status, headers, body = answer(wire)
        assert (status, json.loads(body)["id"], json.loads(body)["text"]) == ("200 OK", -3, "Timed out")
        assert headers["ETag"] == f'W/"{node.broker.top}"'


@pytest.mark.threat("S61")
def test_it_is_one_of_its_user_s_clients_until_it_is_answered(node):
    node.visitors._user_id_of = {"key": "7"}.get
    polls = [LongPoll(node, RecordingWire(), [], Body(node), "key") for _ in range(2)]
    for waiting in polls:
        waiting.begin(("a",), node.broker.top)
    assert node.visitors.user_of("key").connections == 2

    publish(node, "a", "hello")
    assert node.visitors.user_of("key").connections == 0
