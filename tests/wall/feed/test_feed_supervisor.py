import logging

import gevent
import pytest
from django.db import connection

from realtime_wall.brokers.lease import FileLease
from realtime_wall.wall.feed import source_config
from realtime_wall.wall.feed.feed_supervisor import LOOK_EVERY, FeedSupervisor
from realtime_wall.wall.feed.source_config import SourceConfig
from realtime_wall.wall.models import SourcePosition, Tweet, Wall, WallSource
from realtime_wall.wall.options import Options
from tests.wall.fakes import DEADLINE, post

pytestmark = pytest.mark.usefixtures("database")

OWN = f"{__name__}.Own"


class Own:
    """Gives one post for each of its keywords, then waits."""

    name = "own"
    running = []
    made = 0

    def __init__(self, order):
        type(self).made += 1
        self.order = order
        self._stopping = gevent.event.Event()

    def run(self, emit):
        self.running.append(self)
        for word in self.order.keywords:
            emit(post(f"{word}-{Own.made}", source="own", cursor=word))
        self._stopping.wait()
        self.running.remove(self)

    def stop(self):
        self._stopping.set()


@pytest.fixture(autouse=True)
def fresh(database):
    with connection.cursor() as cursor:  # the feed's thread writes at the same time
        cursor.execute("PRAGMA busy_timeout = 5000")
    Own.running.clear()
    Own.made = 0


class RealTime:
    """Waits as they are, so that a look comes only when it is asked for."""

    def now(self):
        return 1_800_000_000.0

    def elapsed(self):
        return 0.0

    def wait(self, event, seconds):
        return event.wait(DEADLINE if seconds == LOOK_EVERY else seconds)


@pytest.fixture
def start(publisher, tmp_path):
    started = []

    def begin(**options):
        lease = FileLease(tmp_path / "feeder.lock")
        feeds = FeedSupervisor(
            lambda: Options(sources=(OWN,), **options), lease, publisher=publisher, clock=RealTime()
        )
        feeds.start()
        started.append(feeds)
        return feeds

    yield begin
    for feeds in started:
        feeds.stop()


def wait_until(condition):
    with gevent.Timeout(DEADLINE, AssertionError("it did not come")):
        while not condition():
            gevent.sleep(0.01)


def asked():
    return sorted((source.order.wall, source.order.keywords) for source in Own.running)


def test_the_main_wall_is_fed_with_what_the_settings_say(start, publisher):
    start(track_keywords=("tides",))
    publisher.wait_for(1)

    assert asked() == [("main", ("tides",))]
    assert Tweet.objects.get().wall.slug == "main"


def test_what_is_saved_in_the_admin_is_taken_up_and_the_rest_goes_on(start):
    feeds = start(track_keywords=("tides",))
    wait_until(lambda: asked() == [("main", ("tides",))])

    row = WallSource.objects.create(wall=Wall.called("hall-2"), kind=OWN, terms="#gulls")
    feeds.look()
    wait_until(lambda: len(asked()) == 2)
    assert asked() == [("hall-2", ("#gulls",)), ("main", ("tides",))]

    WallSource.objects.filter(pk=row.pk).update(terms="#crabs")
    feeds.look()
    wait_until(lambda: ("hall-2", ("#crabs",)) in asked())
    assert len(asked()) == 2
    assert Own.made == 3

    WallSource.objects.all().delete()
    feeds.look()
    wait_until(lambda: asked() == [("main", ("tides",))])
    assert feeds.feeds.keys() == {"main"}


def test_one_feeds_and_the_next_takes_over(start, caplog):
    caplog.set_level(logging.INFO)
    first, second = start(track_keywords=("tides",)), start(track_keywords=("tides",))
    wait_until(lambda: SourcePosition.objects.exists())
    assert second.feeds == {}
    assert "another server feeds the walls" in caplog.text

    first.stop()

    wait_until(lambda: second.feeds)
    wait_until(lambda: asked())
    assert Own.running[0].order.cursor == "tides"


class LosableLease(FileLease):
    """One that can be lost, as in Redis: somebody else may hold it from then on."""

    may_be_taken = True

    def take(self):
        return self.may_be_taken and super().take()

    def lose(self):
        self.may_be_taken = False
        self.release()
        self.on_lost()


def test_who_loses_the_lease_stops_at_once_stores_what_it_has_and_waits(start, publisher, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lease = LosableLease(tmp_path / "other.lock")
    feeds = FeedSupervisor(
        lambda: Options(sources=(OWN,), track_keywords=tuple("abc")),
        lease,
        publisher=publisher,
        clock=RealTime(),
    )
    feeds.start()
    wait_until(lambda: Own.running)

    lease.lose()
    wait_until(lambda: not Own.running)
    wait_until(lambda: "this server feeds the walls no longer" in caplog.text)
    wait_until(lambda: feeds.feeds == {} and not feeds._ending)
    assert Tweet.objects.count() == 3

    lease.may_be_taken = True
    wait_until(lambda: Own.running)
    assert Own.running[0].order.cursor == "c"
    assert caplog.text.count("this server feeds the walls from now on") == 1
    feeds.stop()
    assert not lease.is_held and Own.running == []


def test_a_lease_that_is_lost_while_it_looks_starts_nothing_more(start, publisher, tmp_path, monkeypatch):
    lease = LosableLease(tmp_path / "other.lock")
    feeds = FeedSupervisor(lambda: Options(sources=(OWN,)), lease, publisher=publisher, clock=RealTime())
    monkeypatch.setattr(
        "realtime_wall.wall.feed.source_config.read_source_configs", lambda options: lease.lose() or {}
    )
    feeds.start()
    wait_until(lambda: not lease.is_held and not lease.may_be_taken)

    lease.may_be_taken = True
    wait_until(lambda: not lease.may_be_taken)  # it has looked again, at once
    feeds.stop()


def test_a_cap_counts_what_came_before(start, monkeypatch):
    monkeypatch.setattr(source_config, "given_this_hour", lambda slug, source, now: 9)
    start(track_keywords=("a", "b", "c"), posts_per_hour=10)
    wait_until(lambda: Tweet.objects.exists())

    wait_until(lambda: Own.running == [])


def test_posts_of_this_hour_are_counted(monkeypatch):
    wall = Wall.called()
    for number in range(3):
        Tweet.objects.create(
            wall=wall, source="x", post_id=number, content={}, created_at=Wall.called().created
        )
    now = Wall.called().created.timestamp()

    assert source_config.given_this_hour("main", "x", now) == 3
    assert source_config.given_this_hour("main", "bluesky", now) == 0
    assert source_config.given_this_hour("main", "x", now + 3600) == 0


def test_a_source_that_cannot_be_made_hurts_no_other(start, caplog):
    WallSource.objects.create(wall=Wall.called("hall-2"), kind="x", terms="x" * 2000)
    start(track_keywords=("tides",))
    wait_until(lambda: asked() == [("main", ("tides",))])

    assert "the source 'x' of the wall 'hall-2' cannot be made" in caplog.text


def test_while_the_database_cannot_be_read_what_runs_goes_on(start, caplog, capsys, monkeypatch):
    feeds = start(track_keywords=("tides",))
    wait_until(lambda: asked())
    looks = []

    def away(options):
        looks.append(options)
        raise OSError("no route to the database")

    monkeypatch.setattr("realtime_wall.wall.feed.source_config.read_source_configs", away)
    for count in range(1, 4):
        feeds.look()
        wait_until(lambda count=count: len(looks) >= count)

    assert asked() == [("main", ("tides",))]
    assert caplog.text.count("cannot be read; it is tried again: no route") == 1
    assert "Traceback" not in capsys.readouterr().err


def test_stopping_stores_what_is_in_hand_before_it_lets_go(start, tmp_path):
    feeds = start(track_keywords=tuple("abcdef"))
    wait_until(lambda: Own.running)
    feeds.stop()

    assert Tweet.objects.count() == 6
    assert FileLease(tmp_path / "feeder.lock").take()


def test_after_a_rest_what_was_posted_meanwhile_is_not_asked_for(tmp_path):
    SourcePosition.objects.create(wall=Wall.called(), source="own", cursor="17")
    feeds = FeedSupervisor(Options, FileLease(tmp_path / "feeder.lock"), clock=RealTime())

    capped = feeds._make("main", SourceConfig(kind=OWN, cap=5), Options(sources=(OWN,)))

    assert capped._make(True).order.cursor == "17"
    assert capped._make(False).order.cursor == ""
