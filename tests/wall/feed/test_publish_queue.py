import gevent
import pytest
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall import api
from realtime_wall.channels.position import Position
from realtime_wall.errors import MessageTooBig, PublishFailed
from realtime_wall.wall.feed import publish_queue as module
from realtime_wall.wall.feed.publish_queue import AT_ONCE, PublishQueue, publisher
from tests.fakes import running_node
from tests.wall.fakes import DEADLINE


class Log:
    """Where posts are published; while it is away none is, or nobody is told that it was."""

    def __init__(self):
        self.is_away = False
        self.is_silent = False
        self.entered = []
        self.known = []
        self.portions = []
        self.refused = set()
        self.tried = Event()

    def publish_many(self, messages):
        self.tried.set()
        gevent.sleep(0)
        self.portions.append(len(messages))
        for message in messages:
            self.publish(message)

    def publish(self, message):
        if self.is_away:
            raise PublishFailed("it is away")
        if message.event_id in self.refused:
            raise MessageTooBig(10, 5)
        if message not in self.known:
            self.known.append(message)
            self.entered.append(int(message.event_id))
        if self.is_silent:
            raise PublishFailed("no answer")
        message.position = Position("e", len(self.entered))


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def queue(log, monkeypatch):
    monkeypatch.setattr(module, "FIRST_RETRY", 0.01)
    queue = PublishQueue(log.publish_many)
    yield queue
    queue.stop()


def publish(queue, *numbers):
    for number in numbers:
        queue.publish("tweets", {"id": str(number)}, "tweet", str(number))


def wait_until(condition):
    with gevent.Timeout(DEADLINE, AssertionError("it did not come")):
        while not condition():
            gevent.sleep(0.002)


def publish_and_wait(queue, *numbers):
    publish(queue, *numbers)
    wait_until(lambda: not queue._waiting)


def test_what_can_be_published_is_published_at_once(queue, log):
    publish_and_wait(queue, 1, 2, 3)

    assert log.entered == [1, 2, 3]
    assert log.portions == [3]


def test_many_are_published_in_portions_and_whoever_stores_them_waits_for_room(queue, log):
    feed = gevent.spawn(publish, queue, *range(1, 1001))
    most = 0
    while not feed.ready() or queue._waiting:
        most = max(most, len(queue._waiting))
        gevent.sleep(0)

    assert log.entered == list(range(1, 1001))
    assert set(log.portions) == {AT_ONCE}
    assert most <= 2 * AT_ONCE + 1


def test_what_cannot_be_published_now_is_published_later_in_order_and_logged_once(queue, log, caplog):
    publish_and_wait(queue, 1)
    log.is_away = True
    publish(queue, 2, 3)
    wait_until(lambda: caplog.records)
    log.tried.clear()
    assert log.tried.wait(DEADLINE)  # it is tried again by itself
    publish(queue, 4)
    assert log.entered == [1]
    log.is_away = False
    wait_until(lambda: log.entered == [1, 2, 3, 4])
    publish_and_wait(queue, 5)

    assert log.entered == [1, 2, 3, 4, 5]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "3 posts followed, 0 did not" in caplog.text


def test_while_it_is_away_nobody_waits_for_it_and_one_post_tries_for_all(queue, log, caplog):
    log.is_away = True
    publish(queue, 1)
    wait_until(lambda: caplog.records)
    log.portions.clear()
    publish(queue, *range(2, 100))
    wait_until(lambda: len(log.portions) > 2)

    assert set(log.portions) == {1}


def test_what_was_taken_without_an_answer_is_not_entered_twice(queue, log):
    log.is_silent = True
    publish(queue, 1, 2)
    log.is_silent = False
    publish(queue, 3)

    wait_until(lambda: len(log.entered) == 3)
    assert log.entered == [1, 2, 3]


@given(st.lists(st.sampled_from(["publish", "away", "back", "silent", "heard", "turn"]), max_size=40))
def test_whatever_happens_each_is_published_once_and_in_order(steps):
    log, published = Log(), 0
    first, module.FIRST_RETRY = module.FIRST_RETRY, 0
    queue = PublishQueue(log.publish_many)
    module.FIRST_RETRY = first
    try:
        for step in steps:
            if step == "publish":
                published += 1
                publish(queue, published)
            elif step == "turn":
                gevent.sleep(0)
            else:
                log.is_away = {"away": True, "back": False}.get(step, log.is_away)
                log.is_silent = {"silent": True, "heard": False}.get(step, log.is_silent)
        log.is_away = log.is_silent = False
        wait_until(lambda: not queue._waiting)
    finally:
        queue.stop()

    assert log.entered == list(range(1, published + 1))


def test_what_a_feed_has_published_is_entered_though_it_ends(log, queue):
    tried = []

    def publish_all():
        for number in range(1, 100_000):
            tried.append(number)
            publish(queue, number)

    feed = gevent.spawn(publish_all)
    wait_until(lambda: log.entered)
    feed.kill()
    wait_until(lambda: not queue._waiting)

    assert log.entered == tried


def test_only_so_many_wait_and_that_is_logged_once(queue, log, caplog, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 3)
    log.is_away = True
    publish(queue, 1)
    wait_until(lambda: caplog.records)
    publish(queue, *range(2, 8))
    log.is_away = False
    wait_until(lambda: len(log.entered) == 3)
    publish_and_wait(queue, 8)

    assert log.entered == [1, 2, 3, 8]
    assert caplog.text.count("3 posts wait to be published") == 1
    assert "3 posts followed, 4 did not" in caplog.text


@pytest.mark.parametrize("was_away", [False, True])
def test_one_that_nobody_takes_stops_no_other(queue, log, caplog, was_away):
    log.is_away, log.refused = was_away, {"2"}
    publish(queue, 1, 2, 3)
    log.is_away = False
    wait_until(lambda: not queue._waiting)

    assert log.entered == [1, 3]
    assert "stored but not published" in caplog.text


def test_a_server_that_ends_says_what_it_could_not_publish(log, caplog):
    queue = PublishQueue(log.publish_many)
    log.is_away = True
    publish(queue, 1, 2)
    wait_until(lambda: caplog.records)
    queue.stop()

    assert "2 posts are stored, and were not published" in caplog.text


def test_outside_of_a_server_it_is_published_by_the_process_itself(monkeypatch):
    published = []
    monkeypatch.setattr(api, "publish", lambda *args: published.append(args))

    publisher().publish("tweets", {"id": "1"}, "tweet", "1")

    assert published == [("tweets", {"id": "1"}, "tweet", "1")]


def test_in_a_server_it_is_kept_until_it_can_be_published(monkeypatch, log):
    monkeypatch.setattr(api, "publish_many", log.publish_many)
    with running_node() as node:
        module.start(node.address)
        log.is_away = True
        publisher().publish("tweets", {"id": "1"}, "tweet", "1")
        log.is_away = False
        wait_until(lambda: log.entered == [1])
        module.stop(node.address)
        assert publisher() is module.DIRECT


def test_what_is_taken_out_of_the_log_has_its_place_behind_what_it_takes_out(log, monkeypatch):
    monkeypatch.setattr(module, "FIRST_RETRY", 0.01)
    taken = []

    def retract(channel, event_id):
        if log.is_away:
            raise PublishFailed("it is away")
        taken.append((event_id, list(log.entered)))

    queue = PublishQueue(log.publish_many, retract)
    log.is_away = True
    publish(queue, 1, 2)
    queue.retract("tweets", "1")
    publish(queue, 3)
    wait_until(lambda: queue.is_behind)
    log.is_away = False
    wait_until(lambda: not queue._waiting)
    queue.stop()

    assert taken == [("1", [1, 2])] and log.entered == [1, 2, 3]
    assert not queue.is_behind
