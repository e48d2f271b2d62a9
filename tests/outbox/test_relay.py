"""What is in the outbox is published once, in order, whenever a server is killed."""

import json
import random
from types import SimpleNamespace

import pytest
from django.db import transaction

from realtime_wall import publish
from realtime_wall.errors import PublishFailed
from realtime_wall.outbox import relay as relay_module
from realtime_wall.outbox.models import OutboxMessage
from realtime_wall.outbox.relay import Relay
from tests.fakes import HeldLease, running_node
from tests.live import wait_for


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def node(database):
    with running_node() as node:
        yield node


def write(*values, channel="news"):
    for value in values:
        with transaction.atomic():
            publish(channel, value, event="said", on_commit=True, durable=True)


def heard(node, channel="news"):
    return [json.loads(one.data_json) for one in node.broker.newest(channel, 999)]


def test_what_was_written_is_published_in_order_and_deleted(node):
    write(*range(250))

    Relay(node, HeldLease()).look()

    assert heard(node) == list(range(250))
    assert node.broker.newest("news", 1)[0].event == "said"
    assert not OutboxMessage.objects.exists()


def test_a_server_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(node, monkeypatch):
    dice = random.Random(11)
    delete = relay_module.delete

    def maybe_killed(share):
        if dice.random() < share:
            raise Killed

    def perform(command):
        maybe_killed(0.1)
        node.perform(command)
        maybe_killed(0.1)

    def delete_or_die(rows):
        maybe_killed(0.3)
        delete(rows)
        maybe_killed(0.3)

    # A thread cannot be killed as a process is: all of it runs here.
    monkeypatch.setattr(relay_module, "run_in_threadpool", lambda function: function())
    monkeypatch.setattr(relay_module, "delete", delete_or_die)
    kills, written = 0, 0
    while kills < 200 or OutboxMessage.objects.exists():
        if kills < 200:
            write(*range(written, written + 3))
            written += 3
        try:
            Relay(SimpleNamespace(perform=perform), HeldLease()).look()
        except Killed:
            kills += 1

    assert heard(node) == list(range(written))


def test_a_publish_that_fails_waits_and_keeps_its_place(node):
    write(1, 2)

    def perform(command):
        raise PublishFailed("not now")

    with pytest.raises(PublishFailed):
        Relay(SimpleNamespace(perform=perform), HeldLease()).look()
    assert OutboxMessage.objects.count() == 2

    Relay(node, HeldLease()).look()
    assert heard(node) == [1, 2]


def test_what_no_server_will_ever_take_is_put_aside_and_holds_up_nobody(node, caplog):
    write(1)
    OutboxMessage.objects.create(command='{"verb": "Publish", "channel": "a*", "data_json": "1"}')
    OutboxMessage.objects.create(command="[")
    write(2)

    Relay(node, HeldLease()).look()

    assert heard(node) == [1, 2]
    assert [bool(one.problem) for one in OutboxMessage.objects.all()] == [True, True]
    assert caplog.text.count("cannot be published") == 2


def test_a_relay_publishes_what_is_committed_while_it_runs(node):
    relay = Relay(node, HeldLease())
    relay.start()
    try:
        write("now")
        relay.wake()
        wait_for(lambda: heard(node) == ["now"], "the message")
    finally:
        relay.stop()
    assert not OutboxMessage.objects.exists()
