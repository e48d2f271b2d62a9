import pytest
from gevent.event import Event

from realtime_wall.wall.sources.restart_loop import keep_running
from realtime_wall.wall.sources.source import SourceGaveUp
from tests.wall.fakes import post


class Failing:
    """Raises its problems one after the other, then ends."""

    name = "failing"

    def __init__(self, clock, *problems, lasting=0.0):
        self.clock = clock
        self.problems = list(problems)
        self.lasting = lasting
        self.runs = 0

    def run(self, emit):
        self.runs += 1
        emit(post(self.runs))
        self.clock.time += self.lasting
        if self.problems:
            raise self.problems.pop(0)

    def stop(self):
        pass


@pytest.fixture
def posts():
    return []


def test_a_source_that_raises_is_run_again_with_growing_waits(clock, posts, caplog):
    source = Failing(clock, *[OSError("gone")] * 8)

    keep_running(source, posts.append, Event(), clock)

    assert source.runs == 9
    assert len(posts) == 9
    assert clock.waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert caplog.text.count("OSError: gone") == 8
    assert "the source 'failing' failed; it is started again in 1 s" in caplog.text


def test_a_source_that_ran_for_a_while_is_started_again_soon(clock, posts):
    keep_running(Failing(clock, *[OSError()] * 4, lasting=60), posts.append, Event(), clock)

    assert clock.waits == [1, 1, 1, 1]


def test_a_source_that_ends_is_left_at_its_end_and_said_so(clock, posts, caplog):
    source = Failing(clock)

    with caplog.at_level("INFO"):
        keep_running(source, posts.append, Event(), clock)

    assert (source.runs, clock.waits) == (1, [])
    assert "the source 'failing' has ended" in caplog.text


def test_a_source_that_gives_up_is_not_run_again_and_says_why(clock, posts, caplog):
    source = Failing(clock, SourceGaveUp("set BEARER_TOKEN"))

    keep_running(source, posts.append, Event(), clock)

    assert (source.runs, clock.waits) == (1, [])
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage() == "the source 'failing' has stopped for good: set BEARER_TOKEN"


def test_nothing_is_started_again_while_stopping(clock, posts):
    stopping = Event()
    source = Failing(clock, *[OSError()] * 5)

    def emit(post):
        posts.append(post)
        if len(posts) == 2:
            stopping.set()

    keep_running(source, emit, stopping, clock)

    assert source.runs == 2
