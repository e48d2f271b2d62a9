import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from time import monotonic

import gevent
import pytest
from gevent import monkey
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.errors import InvalidMessage
from realtime_wall.wall.feed.feed import BACKLOG, PACE, Feed
from realtime_wall.wall.feed.store import DatabaseStore, Rejection, Stored
from realtime_wall.wall.models import RejectedPost, SourcePosition, Tweet
from realtime_wall.wall.post import Author, Post, Removal
from realtime_wall.wall.sources.source import SourceGaveUp
from tests.wall.fakes import DEADLINE, FakeClock, ListSource, RecordingPublisher, post
from tests.wall.feed.test_store import Unstorable, bad

sleep = monkey.get_original("time", "sleep")


class MemoryStore:
    """Remembers the batches it is given; each of its problems makes it fail once before."""

    def __init__(self, *problems):
        self.batches = []
        self.problems = list(problems)
        self.notes = []

    def note(self, source, trouble):
        self.notes.append((source, trouble))

    def reject(self, item, problem):
        return Rejection(item, str(problem), kept=True)

    def add(self, posts):
        if self.problems:
            return Stored(left=list(posts), problem=self.problems.pop(0))
        self.batches.append([post.id for post in posts])
        return Stored(new=[post.as_message() for post in posts])


@pytest.fixture
def run(publisher, clock):
    feeds = []

    def start(*sources, store=None, **options):
        options.setdefault("publisher", publisher)
        feed = Feed("main", sources, store=store or MemoryStore(), clock=clock, **options)
        feed.start()
        feeds.append(feed)
        return feed

    yield start
    for feed in feeds:
        feed.stop()


def test_a_post_is_stored_and_then_published_on_the_walls_channel(run, publisher, database):
    stored_before = []

    class Looking:
        def publish(self, channel, data, event, event_id):
            stored_before.append(Tweet.objects.filter(post_id=event_id).exists())
            publisher.publish(channel, data, event, event_id)

    run(ListSource(post(1), post(2)), store=DatabaseStore("main"), publisher=Looking())

    publisher.wait_for(2)
    assert publisher.published == [
        ("tweets", post(1).as_message(), "tweet", "1"),
        ("tweets", post(2).as_message(), "tweet", "2"),
    ]
    assert stored_before == [True, True]


def test_another_wall_has_its_own_channel(publisher, clock):
    feed = Feed("upstairs", [], publisher=publisher, store=MemoryStore(), clock=clock)

    assert feed.channel == "tweets.upstairs"


def test_a_post_that_comes_twice_is_published_once(run, publisher):
    store = MemoryStore()
    run(ListSource(post(1), post(1), post(2)), ListSource(post(2), post(3)), store=store)

    publisher.wait_for(3)
    assert sorted(publisher.ids) == ["1", "2", "3"]
    assert sorted(sum(store.batches, [])) == ["1", "2", "3"]


def test_a_post_that_comes_again_later_does_not_reach_the_database(run, publisher, clock):
    again = Event()

    class Repeating(ListSource):
        def run(self, emit):
            emit(post(1))
            again.wait()
            emit(post(1))
            emit(post(2))

    store = MemoryStore()
    run(Repeating(), store=store)
    publisher.wait_for(1)
    again.set()
    publisher.wait_for(2)

    assert store.batches == [["1"], ["2"]]
    assert clock.waits == []


def test_a_post_from_before_the_restart_is_not_published_again(run, publisher, database):
    DatabaseStore("main").add([post(1)])
    run(ListSource(post(1), post(2)), store=DatabaseStore("main"))

    publisher.wait_for(1)
    assert publisher.ids == ["2"]


def test_edits_and_removals_are_stored_and_told_to_the_pages(run, publisher, database):
    class Changing(ListSource):
        def run(self, emit):
            for item in (post(1), post(2)):
                emit(item)
            publisher.wait_for(2)
            emit(post(1, "As it was meant", version=1))
            emit(Removal(id="2", source="list"))
            super().run(emit)

    run(Changing(), store=DatabaseStore("main"))

    publisher.wait_for(4)
    assert [(event, data["id"]) for _, data, event, _ in publisher.published] == [
        ("tweet", "1"),
        ("tweet", "2"),
        ("tweet_changed", "1"),
        ("tweet_removed", "2"),
    ]
    assert publisher.published[2][1]["text"] == "As it was meant"


@given(st.permutations([post(1), post(1, "second", version=1), post(1, "third", version=2), post(2)]))
def test_the_last_version_wins_whatever_comes_first(items):
    store, publisher, clock = LastWords(), RecordingPublisher(), FakeClock()
    feed = Feed("main", [ListSource(*items)], publisher=publisher, store=store, clock=clock)
    feed.start()
    gevent.sleep(0)
    feed.stop()

    assert store.words == {"1": "third", "2": post(2).text}


class LastWords(MemoryStore):
    def __init__(self):
        super().__init__()
        self.words = {}

    def add(self, posts):
        self.words |= {post.id: post.text for post in posts}
        return super().add(posts)


def test_banned_users_are_dropped_with_their_retweets(run, publisher):
    run(
        ListSource(
            post(1, username="Spammer"),
            post(2, retweeter=Author(name="S", username="sPammer")),
            post(3, username="spammers_friend"),
        ),
        banned=["@spammer"],
    )

    publisher.wait_for(1)
    assert publisher.ids == ["3"]


def test_while_the_database_is_away_nothing_is_lost_and_the_log_says_it_once(run, publisher, clock, caplog):
    problems = [OSError("no route to the database")] * 9
    store = MemoryStore(*problems)
    run(ListSource(*map(post, range(5))), store=store)

    publisher.wait_for(5)
    assert publisher.ids == ["0", "1", "2", "3", "4"]
    assert clock.waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "the database is unavailable, tweets waits for it: no route to the database",
        "the database is back after 9 attempts, tweets goes on",
    ]


def test_a_locked_sqlite_never_stops_the_event_loop(run, publisher, database):
    ticks = []
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        run(ListSource(post(1)), store=DatabaseStore("main"))
        ticking = gevent.spawn(tick, ticks)
        with gevent.Timeout(DEADLINE):
            while len(ticks) < 20:
                gevent.sleep(0.01)
        assert publisher.ids == []
        other.execute("COMMIT")

    publisher.wait_for(1)
    ticking.kill()
    assert max(ticks) < 0.045  # the lock is waited for 0.05 s in the thread


def tick(ticks):
    """Remember how late the event loop is."""
    loop = gevent.get_hub().loop
    while True:
        loop.update_now()
        before = loop.now()
        gevent.sleep(0.01)
        ticks.append(loop.now() - before - 0.01)


def test_a_poisoned_post_is_logged_and_the_others_are_published(run, publisher, database, caplog):
    run(ListSource(post(1), bad(Unstorable, 2), post(3)), store=DatabaseStore("main"))

    publisher.wait_for(2)
    assert publisher.ids == ["1", "3"]
    assert RejectedPost.objects.count() == 1
    assert [record.getMessage()[:44] for record in caplog.records] == [
        "post list:2 is put aside as a RejectedPost: "
    ]


class Unidentifiable(Post):
    @property
    def key(self):
        raise LookupError("which one?")


def nobody():
    """A post whose author cannot be looked at."""
    return replace(post(50), author=None)


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(None, id="no post at all"),
        pytest.param({"id": "50"}, id="something else"),
        pytest.param(bad(Unidentifiable, 50), id="comparing it with those before fails"),
        pytest.param(nobody(), id="looking for banned authors fails"),
        pytest.param(bad(Unstorable, 50), id="writing it as JSON fails"),
        pytest.param(replace(post(50), created_at="yesterday"), id="its time is none"),
        pytest.param(replace(post(50), entities=(None,)), id="its links are none"),
    ],
)
def test_an_item_that_is_no_post_costs_no_other_whatever_it_breaks(run, publisher, database, item):
    posts = [post(n, cursor=str(n)) for n in range(1, 101)]
    posts[49] = item
    run(ListSource(*posts), store=DatabaseStore("main"), banned=["somebody"])

    publisher.wait_for(99)
    assert publisher.ids == [str(n) for n in range(1, 101) if n != 50]
    assert Tweet.objects.count() == 99
    assert RejectedPost.objects.count() == 1
    assert SourcePosition.objects.get().cursor == "100"


@pytest.mark.parametrize("problem", [InvalidMessage("too strange"), ZeroDivisionError("too strange")])
def test_a_post_that_cannot_be_published_does_not_stop_the_next(run, publisher, caplog, problem):
    publisher.problems["1"] = problem
    run(ListSource(post(1), post(2)))

    publisher.wait_for(1)
    assert publisher.ids == ["2"]
    assert "post 1 was stored but not published" in caplog.text
    assert "too strange" in caplog.text


def test_a_store_that_breaks_does_not_end_the_feed(run, publisher, caplog):
    class Breaking(MemoryStore):
        def add(self, posts):
            if posts[0].id == "1":
                raise RuntimeError("can't start new thread")
            return super().add(posts)

    second = Event()

    class Slow(ListSource):
        def run(self, emit):
            emit(post(1))
            second.wait()
            emit(post(2))

    run(Slow(), store=Breaking())
    with gevent.Timeout(DEADLINE):
        while "put aside as a RejectedPost: can't start" not in caplog.text:
            gevent.sleep(0.01)
    second.set()

    publisher.wait_for(1)
    assert publisher.ids == ["2"]


def test_a_source_waits_while_the_feed_is_full(run, publisher):
    gate = Event()

    class Gated(MemoryStore):
        def add(self, posts):
            return super().add(posts) if gate.is_set() else Stored(left=list(posts), problem=OSError())

    source = ListSource(*map(post, range(1000)))
    run(source, store=Gated(), waiting=10)
    for _ in range(50):
        gevent.sleep(0)
    # 200 in the batch, 10 in the queue, and as many as came while the batch was taken
    assert source.given <= 220

    gate.set()
    publisher.wait_for(1000)
    assert publisher.ids == [str(n) for n in range(1000)]


def test_what_waits_is_stored_together(run, publisher):
    store = MemoryStore()
    run(ListSource(*map(post, range(500))), store=store)

    publisher.wait_for(500)
    assert max(map(len, store.batches)) == 200
    assert len(store.batches) <= 5


def test_a_flood_leaves_time_to_the_pages(run, publisher):
    began = monotonic()
    run(ListSource(*map(post, range(1500))))
    publisher.wait_for(1500)

    assert monotonic() - began >= 6 * PACE


def test_while_the_database_is_there_little_lies_in_memory(run, publisher):
    class Slow(MemoryStore):
        def add(self, posts):
            while not gate:
                sleep(0.001)  # in a thread of the feed's
            return super().add(posts)

    gate = []
    source = ListSource(*map(post, range(5000)))
    run(source, store=Slow())
    for _ in range(20):
        gevent.sleep(0.005)
    given = source.given
    gate.append("open")

    assert BACKLOG <= given <= BACKLOG + 201
    publisher.wait_for(5000)


def test_stopping_ends_the_sources_and_publishes_what_they_gave(publisher, clock, caplog):
    source = ListSource(*map(post, range(300)))
    feed = Feed("main", [source], publisher=publisher, store=MemoryStore(), clock=clock)
    feed.start()
    gevent.sleep(0)

    feed.stop()

    assert source.given == 300
    assert len(publisher.ids) == 300
    assert caplog.records == []


def test_a_source_may_say_its_last_word(publisher, clock):
    class Polite(ListSource):
        def run(self, emit):
            super().run(emit)
            gevent.sleep(0)
            emit(post("last"))

    feed = Feed("main", [Polite(post("first"))], publisher=publisher, store=MemoryStore(), clock=clock)
    feed.start()
    gevent.sleep(0)
    feed.stop()

    assert publisher.ids == ["first", "last"]


def test_a_source_that_waits_to_be_started_again_is_not_waited_for(publisher):
    class Failing(ListSource):
        def run(self, emit):
            raise OSError("gone")

    feed = Feed("main", [Failing()], publisher=publisher, store=MemoryStore())
    feed.start()
    gevent.sleep(0)

    with gevent.Timeout(0.5):
        feed.stop(timeout=3)


class Away(MemoryStore):
    """A database that never comes back."""

    attempts = 0

    def add(self, posts):
        self.attempts += 1
        return Stored(left=list(posts), problem=OSError("away"))


def test_stopping_does_not_wait_for_ever(publisher, clock, caplog):
    store = Away()
    feed = Feed("main", [ListSource(post(1))], publisher=publisher, store=store, clock=clock)
    feed.start()
    gevent.sleep(0)

    with gevent.Timeout(DEADLINE):
        feed.stop(timeout=0.3)

    assert "the feed of tweets stopped with posts that could not be stored" in caplog.text
    attempts = store.attempts
    gevent.sleep(0.05)
    assert store.attempts <= attempts + 1  # the one that its thread was at


def test_a_source_that_does_not_listen_is_ended(publisher, clock):
    ended = []

    class Deaf(ListSource):
        def run(self, emit):
            try:
                Event().wait()
            finally:
                ended.append(True)

    feed = Feed("main", [Deaf()], publisher=publisher, store=MemoryStore(), clock=clock)
    feed.start()
    gevent.sleep(0)
    feed.stop(timeout=0.3)
    gevent.sleep(0)

    assert ended == [True]


def test_a_feed_that_was_never_started_can_be_stopped(publisher, clock):
    Feed("main", [], publisher=publisher, store=MemoryStore(), clock=clock).stop()


def test_what_stands_in_the_way_of_a_source_is_noted(run):
    class Refused(ListSource):
        def run(self, emit):
            raise SourceGaveUp("the token is wrong")

    store = MemoryStore()
    run(Refused(), store=store)
    with gevent.Timeout(DEADLINE):
        while len(store.notes) < 2:
            gevent.sleep(0.005)

    assert sorted(store.notes) == [("list", ""), ("list", "it has stopped for good: the token is wrong")]


def test_pages_are_told_when_nothing_new_can_come_and_when_something_comes_again(run, publisher):
    class Refused(ListSource):
        name = "refused"

        def run(self, emit):
            raise SourceGaveUp("the token is wrong")

    class Flickering(ListSource):
        name = "flickering"
        goes_on = Event()

        def run(self, emit):
            if not self.goes_on.is_set():
                raise OSError("no network")
            emit(post(1))

    flickering = Flickering()
    run(Refused(), flickering)
    publisher.wait_for(1)
    flickering.goes_on.set()
    publisher.wait_for(3)

    told = [(data["down"], event) for _, data, event, _ in publisher.published if event != "tweet"]
    assert told == [(True, "wall_sources"), (False, "wall_sources")]
