import gevent
import pytest
from django.test import override_settings

from realtime_wall import api
from realtime_wall.api import OutgoingMessage, publish_many
from realtime_wall.brokers.results import Receipt
from realtime_wall.control import control_client
from realtime_wall.errors import (
    InvalidChannel,
    InvalidMessage,
    MessageTooBig,
    NoServer,
    PublishFailed,
)
from tests.fakes import RecordingTransport, running_node


@pytest.fixture
def node():
    with running_node(message_size=1000) as node:
        yield node


def messages(count):
    return [OutgoingMessage("room", number, "news", str(number)) for number in range(count)]


def kept(node):
    return [int(one.data_json) for one in node.broker.newest("room", 1000)]


def test_many_messages_come_in_order_each_at_its_position(node):
    client = RecordingTransport(node)
    client.socket.subscribe("room")

    positions = publish_many(messages(100))

    assert [one.offset for one in positions] == list(range(1, 101))
    with gevent.Timeout(10):
        while len(client.heard) < 100:
            gevent.sleep(0.002)
    assert [(one.data_json, one.event, one.event_id) for one in client.heard[:2]] == [
        ("0", "news", "0"),
        ("1", "news", "1"),
    ]


def test_published_again_none_comes_twice(node):
    some = messages(30)

    assert publish_many(some[:10]) + publish_many(some)[10:] == publish_many(some)
    assert kept(node) == list(range(30))


def test_what_was_taken_without_an_answer_is_not_taken_twice(node, monkeypatch):
    link, tried = node.broker.link, []
    sequence = link.sequence

    def lose(proposal):
        tried.append(proposal.key)
        if len(tried) == 1:
            raise PublishFailed("no answer")
        return sequence(proposal)

    monkeypatch.setattr(link, "sequence", lose)
    some = messages(3)
    with pytest.raises(PublishFailed):
        publish_many(some)
    publish_many(some)

    # By its key the servers know it again; what was confirmed is not tried again.
    assert len(tried) == 4
    assert tried[3] == tried[0]
    assert sorted(kept(node)) == [0, 1, 2]


def test_the_first_that_cannot_be_published_is_raised_and_those_before_it_have_positions(node):
    some = [*messages(2), OutgoingMessage("room", "x" * 2000), *messages(1)]

    with pytest.raises(MessageTooBig):
        publish_many(some)

    assert [one.position is not None for one in some[:3]] == [True, True, False]


@pytest.mark.parametrize(
    ("channel", "data", "event", "problem"),
    [("*", 1, None, InvalidChannel), ("a", float("nan"), None, InvalidMessage), ("a", 1, "", InvalidMessage)],
)
def test_what_never_can_be_published_is_refused_when_it_is_made(channel, data, event, problem):
    with pytest.raises(problem):
        OutgoingMessage(channel, data, event)


def test_outside_of_a_server_without_any_nothing_is_published(tmp_path):
    tmp_path.chmod(0o700)
    with override_settings(REALTIME_WALL={"RUNTIME_DIR": str(tmp_path)}), pytest.raises(NoServer):
        publish_many(messages(1))


def test_outside_of_a_server_a_message_has_one_key_however_often_it_is_tried(monkeypatch):
    commands = []

    def perform(command, config):
        commands.append(command)
        if len(commands) == 1:
            raise PublishFailed("no answer")
        return Receipt(position="e-1:7")

    monkeypatch.setattr(control_client, "perform", perform)
    some = messages(1)
    with pytest.raises(PublishFailed):
        publish_many(some)

    assert [str(one) for one in publish_many(some)] == ["e-1:7"]
    assert commands[0].idempotency_key == commands[1].idempotency_key != None  # noqa: E711


def test_a_time_slice_yields_in_a_server_only(monkeypatch):
    turns = []
    monkeypatch.setattr(gevent, "sleep", turns.append)

    api.time_slice(-1.0).yield_if_due()
    assert turns == []

    with running_node():
        api.time_slice(-1.0).yield_if_due()
        assert turns
        monkeypatch.undo()
