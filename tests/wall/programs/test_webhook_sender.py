"""Webhooks are told what is shown and hidden: signed, in order, until they have taken it."""

import json
import time
from contextlib import ExitStack
from datetime import timedelta

import gevent
import pytest
from django.test import override_settings
from django.utils import timezone

from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Ban, Mode, Wall
from realtime_wall.wall.moderation import delay_line
from realtime_wall.wall.moderation.decisions import Choice, ban, decide, undo
from realtime_wall.wall.post import Removal
from realtime_wall.wall.programs import webhook_queue, webhook_sender
from realtime_wall.wall.programs.program_tables import Webhook, WebhookMessage
from realtime_wall.wall.programs.webhook_sender import WebhookSender
from realtime_wall.wall.sources.webhook_signature import signature_of
from tests.fake_feed import FakeFeed, answer
from tests.fakes import HeldLease
from tests.wall.fakes import DEADLINE, post


@pytest.fixture
def wall(database):
    return Wall.called()


@pytest.fixture
def receiver():
    """A program that is told; what it was told is in ``requests`` and ``bodies``."""
    with FakeFeed() as server:
        server.items["taken"] = ""
        yield server


@pytest.fixture
def webhook(wall, receiver):
    return Webhook.objects.create(url=receiver.url)


@pytest.fixture
def sender():
    with ExitStack() as made:

        def make(*private_hosts):
            wall = {"PRIVATE_HOSTS": list(private_hosts or ["127.0.0.1"])}
            made.enter_context(override_settings(REALTIME_WALL={"WALL": wall}))
            sender = WebhookSender(None, HeldLease())
            made.callback(sender.stop)
            return sender

        yield make


def look(sender):
    """And until it has told what it can."""
    sender.look()
    with gevent.Timeout(DEADLINE):
        sender._pool.join()


def delivered(receiver):
    return [(body["type"], body["data"]["key"]) for body in receiver.bodies]


# -- what they are to be told


def queued():
    messages = WebhookMessage.objects.order_by("id")
    found = [(one.body["type"].removeprefix("post."), one.body["data"]["key"][5:]) for one in messages]
    messages.delete()
    return found


def test_what_changes_for_visitors_is_to_be_told_and_nothing_else(wall, webhook):
    store = DatabaseStore("main")
    store.add([post(1), post(2), post(2, "edited", version=1)])
    assert queued() == [("shown", "1"), ("shown", "2")]
    act = decide(wall, "hide", [Choice("list:1", "shown")], "ada")
    undo(wall, act.id, "ada")
    assert queued() == [("hidden", "1"), ("shown", "1")]
    store.add([Removal(id="2", source="list")])
    assert queued() == [("hidden", "2")]

    Wall.objects.update(mode=Mode.APPROVED)
    store.add([post(3), post(1, "edited", version=1)])
    assert queued() == [("hidden", "1")]
    decide(wall, "hide", [Choice("list:3", "waiting")], "ada")
    assert queued() == []
    decide(wall, "approve", [Choice("list:1", "waiting")], "ada")
    ban([wall], Ban(source="list", username="maraquill", by="ada"))
    assert queued() == [("shown", "1"), ("hidden", "1")]


def test_the_clock_tells_it_too(wall, webhook):
    Wall.objects.update(mode=Mode.DELAYED)
    DatabaseStore("main").add([post(1)])
    assert queued() == []
    wall.tweets.update(show_at=timezone.now() - timedelta(seconds=1))
    delay_line.release_due()
    assert queued() == [("shown", "1")]


def test_what_is_hidden_is_not_repeated(wall, webhook):
    DatabaseStore("main").add([post(1, "a secret")])
    decide(wall, "hide", [Choice("list:1", "shown")], "ada")

    shown, hidden = WebhookMessage.objects.order_by("id")
    assert "a secret" in json.dumps(shown.body) and "a secret" not in json.dumps(hidden.body)


def test_what_is_rolled_back_is_told_to_nobody(wall, webhook, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(DatabaseStore, "_remember_places", fail)
    DatabaseStore("main").add([post(1)])

    assert not WebhookMessage.objects.exists()


def test_a_webhook_of_another_wall_and_one_that_is_off_are_told_nothing(wall):
    Webhook.objects.create(url="https://a.example", wall=Wall.called("upstairs"))
    Webhook.objects.create(url="https://b.example", enabled=False)
    DatabaseStore("main").add([post(1)])

    assert not WebhookMessage.objects.exists()


# -- how they are told


def test_it_is_signed_and_in_order_and_gone_when_it_is_taken(wall, webhook, receiver, sender):
    DatabaseStore("main").add([post(1), post(2)])
    decide(wall, "hide", [Choice("list:1", "shown")], "ada")
    look(sender())

    assert delivered(receiver) == [
        ("post.shown", "list:1"),
        ("post.shown", "list:2"),
        ("post.hidden", "list:1"),
    ]
    for headers, raw in zip(receiver.requests, receiver.raw, strict=True):
        signature_of(headers, time.time()).check(raw, webhook.secret)
    assert len({headers["webhook-id"] for headers in receiver.requests}) == 3
    assert not WebhookMessage.objects.exists()


def test_one_that_fails_rests_and_is_told_again_under_the_same_id(wall, webhook, receiver, sender):
    receiver.script = [answer(b"", status=500), answer(b"", {"Retry-After": "900"}, 503)]
    DatabaseStore("main").add([post(1), post(2)])
    sending = sender()
    look(sending)
    look(sending)  # it rests
    webhook.refresh_from_db()
    assert (len(receiver.requests), webhook.failures, webhook.problem) == (1, 1, "it answered 500")

    Webhook.objects.update(due=timezone.now())
    look(sending)
    webhook.refresh_from_db()
    assert webhook.due > timezone.now() + timedelta(seconds=890)
    Webhook.objects.update(due=timezone.now())
    look(sending)
    webhook.refresh_from_db()

    assert [headers["webhook-id"] for headers in receiver.requests[:3]] == [
        receiver.requests[0]["webhook-id"]
    ] * 3
    assert delivered(receiver)[2:] == [("post.shown", "list:1"), ("post.shown", "list:2")]
    assert (webhook.failures, webhook.problem, webhook.due) == (0, "", None)


def test_it_waits_ever_longer(wall, webhook, receiver, sender):
    receiver.script = [answer(b"", status=500)] * 12
    DatabaseStore("main").add([post(1)])
    sending, waits = sender(), []
    for _ in range(12):
        look(sending)
        webhook.refresh_from_db()
        waits.append((webhook.due - timezone.now()).total_seconds())
        Webhook.objects.update(due=None)

    assert 4 < waits[0] <= 6 and 8 < waits[1] <= 12 and 3500 < waits[-1] <= 4320


def test_what_is_refused_again_and_again_makes_room_for_the_next(wall, webhook, receiver, sender):
    receiver.script = [answer(b"", status=400)] * 3
    DatabaseStore("main").add([post(1), post(2)])
    sending = sender()
    for _ in range(4):
        Webhook.objects.update(due=None)
        look(sending)

    assert delivered(receiver)[-1] == ("post.shown", "list:2")
    assert [(one.body["data"]["key"], one.problem) for one in WebhookMessage.objects.all()] == [
        ("list:1", "it answered 400")
    ]


def test_one_that_is_gone_is_switched_off(wall, webhook, receiver, sender):
    receiver.script = [answer(b"", status=410)]
    DatabaseStore("main").add([post(1)])
    look(sender())
    webhook.refresh_from_db()

    assert not webhook.enabled


def test_after_a_day_it_is_given_up_and_after_a_week_forgotten(wall, webhook, monkeypatch):
    monkeypatch.setattr(webhook_queue, "MOST_WAITING", 2)
    DatabaseStore("main").add([post(number) for number in range(1, 6)])
    ids = list(WebhookMessage.objects.order_by("id").values_list("id", flat=True))
    WebhookMessage.objects.filter(id=ids[0]).update(created=timezone.now() - timedelta(hours=25))
    WebhookMessage.objects.filter(id=ids[1]).update(created=timezone.now() - timedelta(days=8), problem="x")
    webhook_queue.give_up_old()

    problems = list(WebhookMessage.objects.order_by("id").values_list("problem", flat=True))
    assert problems == ["given up after a day", "given up: too many wait", "", ""]


@pytest.mark.threat("S54")
def test_neighbours_of_the_server_are_told_nothing_nor_are_they_by_a_redirect(
    wall, webhook, receiver, sender
):
    DatabaseStore("main").add([post(1)])
    look(sender("elsewhere.example"))
    webhook.refresh_from_db()
    assert receiver.requests == [] and "is private" in webhook.problem

    Webhook.objects.update(due=None)
    receiver.script = [answer(b"", {"Location": "http://127.0.0.2:1/"}, 307)]
    look(sender())
    webhook.refresh_from_db()
    assert webhook.problem == "it answered 307"


def test_a_slow_one_holds_up_nobody_and_is_given_up_in_time(wall, webhook, receiver, sender, monkeypatch):
    monkeypatch.setattr(webhook_sender, "LONGEST_ANSWER", 0.3)
    slow = Webhook.objects.create(url=receiver.url + "?slow")

    def trickle(connection):
        gevent.sleep(1)

    receiver.slow = trickle
    DatabaseStore("main").add([post(1)])
    sending = sender()
    sending.look()
    with gevent.Timeout(DEADLINE):
        while webhook.messages.exists():
            gevent.sleep(0.005)
    assert slow.messages.exists()
    with gevent.Timeout(DEADLINE):
        sending._pool.join()
    slow.refresh_from_db()

    assert slow.problem == "it took too long"
