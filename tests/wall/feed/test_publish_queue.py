import logging

import gevent
import pytest
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.errors import MessageTooBig, PublishFailed
from realtime_wall.node import node as nodes
from realtime_wall.wall.feed import publish_queue as module
from realtime_wall.wall.feed.publish_queue import AT_ONCE, PublishQueue
from tests.wall.fakes import DEADLINE


class SourceRequest:
    """Where drafts are entered; while it is away nothing is, or nobody is told that it was."""

    def __init__(self):
        self.is_away = False
        self.is_silent = False
        self.entered = []
        self.keys = []
        self.portions = []
        self.refused = set()
        self.tried = Event()

    def enter(self, proposals):
        self.tried.set()
        gevent.sleep(0)
        self.portions.append(len(proposals))
        return [self.enter_one(one) for one in proposals]

    def enter_one(self, proposal):
        if self.is_away:
            return PublishFailed("it is away")
        if proposal.what.event_id in self.refused:
            return MessageTooBig(10, 5)
        if proposal.key not in self.keys:
            self.keys.append(proposal.key)
            self.entered.append(int(proposal.what.event_id))
        return PublishFailed("no answer") if self.is_silent else None


@pytest.fixture
def order():
    return SourceRequest()


@pytest.fixture
def telling(order, monkeypatch):
    monkeypatch.setattr(module, "RETRY_EVERY", 0.01)
    telling = PublishQueue("AAAAAAAA", order.enter)
    yield telling
    telling.stop()


def tell(telling, *numbers):
    for number in numbers:
        telling.publish("tweets", {"id": str(number)}, "tweet", str(number))


def wait_until(condition):
    with gevent.Timeout(DEADLINE, AssertionError("it did not come")):
        while not condition():
            gevent.sleep(0.002)


def tell_and_wait(telling, *numbers):
    tell(telling, *numbers)
    wait_until(lambda: not telling._waiting)


def test_what_can_be_told_is_told_at_once(telling, order):
    tell_and_wait(telling, 1, 2, 3)

    assert order.entered == [1, 2, 3]
    assert order.portions == [3]


def test_many_are_told_in_portions_and_whoever_stores_them_waits_for_room(telling, order):
    feed = gevent.spawn(tell, telling, *range(1, 1001))
    most = 0
    while not feed.ready() or telling._waiting:
        most = max(most, len(telling._waiting))
        gevent.sleep(0)

    assert order.entered == list(range(1, 1001))
    assert set(order.portions) == {AT_ONCE}
    assert most <= 2 * AT_ONCE + 1


def test_what_cannot_be_told_now_is_told_later_in_order_and_said_once_in_the_log(telling, order, caplog):
    tell_and_wait(telling, 1)
    order.is_away = True
    tell(telling, 2, 3)
    wait_until(lambda: caplog.records)
    order.tried.clear()
    assert order.tried.wait(DEADLINE)  # it is tried again by itself
    tell(telling, 4)
    assert order.entered == [1]
    order.is_away = False
    wait_until(lambda: order.entered == [1, 2, 3, 4])
    tell_and_wait(telling, 5)

    assert order.entered == [1, 2, 3, 4, 5]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "3 posts followed, 0 did not" in caplog.text


def test_while_it_is_away_nobody_waits_for_it_and_one_post_tries_for_all(telling, order, caplog):
    order.is_away = True
    tell(telling, 1)
    wait_until(lambda: caplog.records)
    order.portions.clear()
    tell(telling, *range(2, 100))
    wait_until(lambda: len(order.portions) > 2)

    assert set(order.portions) == {1}


def test_what_was_taken_without_an_answer_is_not_entered_twice(telling, order):
    order.is_silent = True
    tell(telling, 1, 2)
    order.is_silent = False
    tell(telling, 3)

    wait_until(lambda: len(order.entered) == 3)
    assert order.entered == [1, 2, 3]


@given(st.lists(st.sampled_from(["tell", "away", "back", "silent", "heard", "turn"]), max_size=40))
def test_whatever_happens_each_is_told_once_and_in_order(steps):
    order = SourceRequest()
    telling = PublishQueue("AAAAAAAA", order.enter)
    module.RETRY_EVERY, before = 0, module.RETRY_EVERY
    told = 0
    try:
        for step in steps:
            if step == "tell":
                told += 1
                tell(telling, told)
            elif step == "turn":
                gevent.sleep(0)
            else:
                order.is_away = {"away": True, "back": False}.get(step, order.is_away)
                order.is_silent = {"silent": True, "heard": False}.get(step, order.is_silent)
        order.is_away = order.is_silent = False
        wait_until(lambda: not telling._waiting)
    finally:
        module.RETRY_EVERY = before
        telling.stop()

    assert order.entered == list(range(1, told + 1))


def test_what_a_feed_has_told_is_entered_though_it_ends(order, telling):
    said = []

    def say():
        for number in range(1, 100_000):
            said.append(number)
            tell(telling, number)

    feed = gevent.spawn(say)
    wait_until(lambda: order.entered)
    feed.kill()
    wait_until(lambda: not telling._waiting)

    assert order.entered == said


def test_only_so_many_wait_and_that_is_said_once(telling, order, caplog, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 3)
    order.is_away = True
    tell(telling, 1)
    wait_until(lambda: caplog.records)
    tell(telling, *range(2, 8))
    order.is_away = False
    wait_until(lambda: len(order.entered) == 3)
    tell_and_wait(telling, 8)

    assert order.entered == [1, 2, 3, 8]
    assert caplog.text.count("3 posts wait to be published") == 1
    assert "3 posts followed, 4 did not" in caplog.text


@pytest.mark.parametrize("was_away", [False, True])
def test_one_that_nobody_takes_stops_no_other(telling, order, caplog, was_away):
    order.is_away, order.refused = was_away, {"2"}
    tell(telling, 1, 2, 3)
    order.is_away = False
    wait_until(lambda: not telling._waiting)

    assert order.entered == [1, 3]
    assert "stored but not published" in caplog.text


def test_a_server_that_ends_says_what_it_could_not_tell(order, caplog):
    telling = PublishQueue("AAAAAAAA", order.enter)
    order.is_away = True
    tell(telling, 1, 2)
    wait_until(lambda: caplog.records)
    telling.stop()

    assert "2 posts are stored, and were not published" in caplog.text


def test_outside_of_a_server_it_is_published_by_the_process_itself(monkeypatch, publisher):
    monkeypatch.setattr(module, "publish_by_itself", publisher)
    module.publish("tweets", {"id": "1"}, "tweet", "1")

    assert publisher.published == [("tweets", {"id": "1"}, "tweet", "1")]


def test_in_a_server_it_is_kept_until_it_can_be_published(monkeypatch, order, caplog):
    caplog.set_level(logging.WARNING)

    class Server:
        address = "AAAAAAAA"
        publisher = order

    server = Server()
    monkeypatch.setattr(nodes, "current", lambda: server)
    monkeypatch.setattr(module, "RETRY_EVERY", 0.01)
    module.start(server)
    order.is_away = True
    module.publish("tweets", {"id": "1"}, "tweet", "1")
    order.is_away = False
    wait_until(lambda: order.entered == [1])
    module.stop(server)
    assert module._running == {}
