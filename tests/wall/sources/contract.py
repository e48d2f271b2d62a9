"""What every source has to pass, whatever network it is for.

A test file names a ``Harness`` for its source and inherits :class:`SourceContract`. A harness is a small
server that speaks the source's real protocol, and makes the source that asks it.
"""

import contextlib

import gevent
import pytest

from realtime_wall.wall.post import WITHDRAWN, Mark, Post, Removal
from realtime_wall.wall.sources.restart_loop import keep_running
from realtime_wall.wall.sources.source import SourceGaveUp
from tests.wall.fakes import DEADLINE


class Run:
    """A source in a greenlet, kept running as a feed does, and what it gave."""

    def __init__(self, source, clock):
        self.source = source
        self.items = []
        self.waiting = None  # an Event: emit waits for it
        self._stopping = gevent.event.Event()
        self._clock = clock
        self.greenlet = gevent.spawn(keep_running, source, self._take, self._stopping, clock)

    def _take(self, item):
        if self.waiting is not None:
            self.waiting.wait()
        self.items.append(item)

    @property
    def posts(self):
        return [item for item in self.items if isinstance(item, Post)]

    @property
    def versions(self):
        """What a wall would show: id -> text, without what was taken back."""
        newest = {}
        for item in self.items:
            if not isinstance(item, Mark) and item.version >= getattr(newest.get(item.id), "version", -1):
                newest[item.id] = item
        return {key: item.text for key, item in newest.items() if item.version != WITHDRAWN}

    @property
    def cursor(self):
        cursors = [item.cursor for item in self.items if item.cursor]
        return cursors[-1] if cursors else ""

    def wait_until(self, condition, what="it"):
        with gevent.Timeout(DEADLINE, AssertionError(f"{what}: {self.items[-5:]} came")):
            while not condition():
                gevent.sleep(0.005)

    def wait_for(self, count):
        self.wait_until(lambda: len({post.id for post in self.posts}) >= count, f"{count} posts")

    def stop(self):
        self._stopping.set()
        self.source.stop()
        self.greenlet.join(timeout=DEADLINE)
        assert self.greenlet.ready(), "it did not stop"


class Harness(contextlib.AbstractContextManager):
    """A server, and what happens to it."""

    def __init__(self, clock):
        self.clock = clock

    def source(self, cursor=""):
        """One that asks this server for the hashtag #tides."""
        raise NotImplementedError

    def post(self, number, text): ...
    def post_sensitive(self, number, text):
        """With a picture, and marked as its network marks what is not for everybody."""

    def edit(self, number, text): ...
    def delete(self, number): ...
    def post_warned(self, number, text, warning): ...
    def poison(self):
        """Send something that is no post."""

    def cut(self):
        """Break the connection, or the next answer."""

    def server_error(self): ...
    def rate_limit(self): ...
    def forbid(self):
        """Refuse the source for good."""

    def wait_until_heard(self):
        """Until what is posted now reaches the source; one that polls hears always."""

    def wait_until_deaf(self):
        """Until nobody is connected."""

    def skipped(self, source):
        return source.skipped


def begin(world, run, **options):
    """A source that is running and listens."""
    run_ = run(world.source(**options))
    world.wait_until_heard()
    return run_


class SourceContract:
    """``harness`` is a :class:`Harness` of the source's own."""

    resumes = True  # its server can tell what came after a cursor
    edits = True
    deletions = True
    warnings = False

    @pytest.fixture
    def world(self, clock):
        with self.harness(clock) as harness:
            yield harness

    @pytest.fixture
    def run(self, clock):
        runs = []

        def start(source):
            runs.append(Run(source, clock))
            return runs[-1]

        yield start
        for each in runs:
            each.stop()

    def test_posts_come_with_their_badge_and_their_time(self, world, run, clock):
        run_ = begin(world, run)
        world.post("1", "The tides are high #tides")
        run_.wait_for(1)

        (post,) = run_.posts[:1]
        assert post.source == run_.source.name
        assert "tides" in post.text
        assert post.created_at.timestamp() <= clock.now()
        assert post.as_message()["url"].startswith("http")

    def test_hostile_texts_come_as_texts(self, world, run):
        run_ = begin(world, run)
        world.post("1", "<script>alert(1)</script> #tides & \u202e\U0001f525")
        run_.wait_for(1)

        assert "<script>alert(1)</script>" in run_.posts[0].text
        assert "\U0001f525" in run_.posts[0].text

    def test_what_is_marked_as_sensitive_comes_without_its_pictures(self, world, run):
        run_ = begin(world, run)
        world.post_sensitive("1", "not for a hall #tides")
        run_.wait_for(1)

        (post,) = run_.posts[:1]
        assert post.media, "the picture has to come with it, or this says nothing"
        assert post.sensitive
        assert post.as_message()["media"] == []
        assert "not for a hall" in post.as_message()["text"]

    def test_what_is_behind_a_warning_comes_as_the_warning(self, world, run):
        if not self.warnings:
            return  # its network knows none
        run_ = begin(world, run)
        world.post_warned("1", "who did it #tides", "Spoilers")
        run_.wait_for(1)

        message = run_.posts[0].as_message()
        assert (message["text"], message["media"], message["entities"]) == ("Spoilers", [], [])

    def test_a_post_that_is_none_is_skipped_and_the_next_one_comes(self, world, run, caplog):
        run_ = begin(world, run)
        world.post("1", "first #tides")
        run_.wait_for(1)
        caplog.clear()  # another test's source may end only now
        world.poison()
        world.post("2", "second #tides")
        run_.wait_for(2)

        assert world.skipped(run_.source) >= 1
        assert not [record for record in caplog.records if record.levelname == "ERROR"]

    @pytest.mark.parametrize("fault", ["cut", "server_error", "rate_limit"])
    def test_after_a_fault_everything_comes(self, world, run, fault):
        run_ = begin(world, run)
        world.post("1", "before #tides")
        run_.wait_for(1)
        getattr(world, fault)()
        world.wait_until_heard()
        world.post("2", "after #tides")
        run_.wait_for(2)

        assert [text.split()[0] for text in run_.versions.values()] == ["before", "after"]

    def test_what_came_while_nobody_read_comes_later(self, world, run):
        if not self.resumes:
            return  # its server does not remember
        first = begin(world, run)
        world.post("1", "before #tides")
        first.wait_for(1)
        first.wait_until(lambda: first.cursor, "a cursor")
        first.stop()
        world.wait_until_deaf()
        for number in range(2, 5):
            world.post(str(number), f"number {number} #tides")

        second = run(world.source(cursor=first.cursor))
        second.wait_for(3)
        second.wait_until(lambda: len(second.versions) >= 3)

    def test_an_edit_is_a_later_version_of_the_same_post(self, world, run):
        if not self.edits:
            return  # its network knows no edits
        run_ = begin(world, run)
        world.post("1", "as it was #tides")
        run_.wait_for(1)
        world.edit("1", "as it was meant #tides")

        run_.wait_until(lambda: any("meant" in post.text for post in run_.posts), "the edit")
        assert len(run_.versions) == 1
        assert "meant" in next(iter(run_.versions.values()))

    def test_a_deletion_takes_the_post_back(self, world, run):
        if not self.deletions:
            return  # its network does not tell
        run_ = begin(world, run)
        world.post("1", "regretted #tides")
        world.post("2", "kept #tides")
        run_.wait_for(2)
        world.delete("1")

        run_.wait_until(lambda: any(isinstance(item, Removal) for item in run_.items), "the removal")
        assert [text.split()[0] for text in run_.versions.values()] == ["kept"]

    def test_it_waits_while_the_feed_is_full(self, world, run):
        gate = gevent.event.Event()
        run_ = begin(world, run)
        run_.waiting = gate
        for number in range(1, 6):
            world.post(str(number), f"number {number} #tides")
        gevent.sleep(0.05)
        assert run_.items == []

        gate.set()
        run_.waiting = None
        run_.wait_for(5)

    def test_it_stops_at_once_also_while_it_waits(self, world, run):
        run_ = begin(world, run)
        world.post("1", "first #tides")
        run_.wait_for(1)

        with gevent.Timeout(1):
            run_.stop()

    def test_it_may_be_stopped_before_it_runs(self, world):
        source = world.source()
        source.stop()

        with gevent.Timeout(1):
            source.run(lambda item: None)

    def test_what_a_person_has_to_mend_ends_it_with_a_sentence(self, world):
        world.forbid()

        with gevent.Timeout(DEADLINE), pytest.raises(SourceGaveUp) as gave_up:
            world.source().run(lambda item: None)
        assert len(str(gave_up.value)) > 20
