import gevent
import pytest

from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.x.recent_search import XSearchSource
from tests.fake_x import FakeX, refuse
from tests.wall.fakes import x_line, x_sensitive_line
from tests.wall.sources.contract import Harness, SourceContract


class SearchHarness(Harness):
    def __init__(self, clock):
        super().__init__(clock)
        self.x = FakeX(clock=clock)
        self.token = "token"
        self._edits = 1000

    def __enter__(self):
        self.x.__enter__()
        return self

    def __exit__(self, *problem):
        self.x.__exit__(*problem)

    def source(self, cursor="", **options):
        options.setdefault("backoff", ReconnectBackoff(jitter=lambda: 0.0))
        return XSearchSource(
            self.token, ["#tides"], base_url=self.x.url, since=cursor, clock=self.clock, **options
        )

    def post(self, number, text):
        self.x.found.append(x_line(number, text.replace("&", "&amp;").replace("<", "&lt;")))

    def post_sensitive(self, number, text):
        self.x.found.append(x_sensitive_line(number, text))

    def edit(self, number, text):
        self._edits += 1
        self.x.found.append(x_line(self._edits, text, edit_history_tweet_ids=[number, str(self._edits)]))

    def poison(self):
        line = x_line(10, "no id")
        del line["data"]["id"]
        self.x.found.append(line)

    def cut(self):
        self.x.search_script.append(lambda connection: None)

    def server_error(self):
        self.x.search_script.append(refuse(503))

    def rate_limit(self):
        self.x.search_script.append(refuse(429, {"x-rate-limit-reset": str(int(self.clock.now()) + 300)}))

    def forbid(self):
        self.token = "wrong"


class TestXSearch(SourceContract):
    harness = SearchHarness
    deletions = False  # X tells them to enterprises only


@pytest.fixture
def world(clock):
    with SearchHarness(clock) as harness:
        yield harness


def poll(world, times, cursor="", **options):
    """The posts, and what was waited for."""
    came = []
    source = world.source(cursor, **options)
    wait = world.clock.wait

    def count(event, seconds):
        if len(world.clock.waits) + 1 >= times:
            source.stop()
            world.clock.waits.append(round(seconds, 3))
            return True
        return wait(event, seconds)

    world.clock.wait = count
    source.run(came.append)
    return [post.id for post in came]


def test_the_first_poll_asks_for_few_and_later_ones_for_what_is_new(world):
    for number in range(1, 40):
        world.post(number, "#tides")

    assert poll(world, 2) == [str(number) for number in range(30, 40)]
    assert [search.get("since_id") for search in world.x.searches] == [None, "39"]
    assert [search["max_results"] for search in world.x.searches] == ["10", "100"]
    assert world.clock.waits == [30.0, 30.0]


def test_pages_of_a_hole_are_read_up_to_a_limit_of_what_they_cost(world, caplog):
    for number in range(1, 900):
        world.post(number, "#tides")

    ids = poll(world, 1, cursor="5")

    assert len(world.x.searches) == 5
    assert ids == [str(number) for number in range(400, 900)]
    assert "are left out" in caplog.text


def test_a_cursor_that_is_too_old_is_forgotten(world):
    world.post(7, "#tides")
    world.x.search_script = [refuse(400, detail="since_id must be within seven days")]

    assert poll(world, 1, cursor="1") == ["7"]


def test_the_rate_limit_is_waited_for(world):
    world.rate_limit()
    poll(world, 1)

    assert world.clock.waits == [301.0]


def test_server_errors_are_waited_for_by_the_table_of_http(world):
    world.x.search_script = [refuse(503)] * 3
    poll(world, 3)

    assert world.clock.waits == [5.0, 10.0, 20.0]


def test_without_a_token_nothing_is_asked_for(world):
    world.token = ""
    with pytest.raises(Exception, match="there is no token"):
        world.source().run(lambda item: None)
    assert world.x.searches == []


def test_an_answer_of_another_shape_is_no_end(world):
    def nonsense(connection):
        from tests.fake_x import answer

        answer(connection, 200, ["nothing", "of", "this"])

    world.x.search_script = [nonsense]
    world.post(1, "#tides")

    with gevent.Timeout(5):
        assert poll(world, 2) == ["1"]
