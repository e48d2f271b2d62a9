import gevent
import pytest

from realtime_wall.wall.post import Mark
from realtime_wall.wall.sources import mastodon
from realtime_wall.wall.sources.mastodon import MastodonSource
from realtime_wall.wall.sources.mastodon_payload import from_mastodon
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from tests.fake_mastodon import FIRST_ID, FakeMastodon
from tests.fake_x import answer, refuse
from tests.wall.fakes import DEADLINE
from tests.wall.sources.contract import Harness, Run, SourceContract, begin


class MastodonHarness(Harness):
    def __init__(self, clock):
        super().__init__(clock)
        self.server = FakeMastodon(clock)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *problem):
        self.server.__exit__(*problem)

    def source(self, cursor="", token="", keywords=("#tides",), **options):
        options.setdefault("backoff", ReconnectBackoff(jitter=lambda: 0.0))
        return MastodonSource(
            self.server.url, keywords, token=token, since=cursor, clock=self.clock, stall=2.0, **options
        )

    def id(self, number):
        return str(FIRST_ID + int(number))

    def post(self, number, text):
        self.server.put(self.server.status(number, text))

    def post_sensitive(self, number, text, **fields):
        picture = {"type": "image", "preview_url": "https://files.example/1.png"}
        self.server.put(
            self.server.status(number, text, sensitive=True, media_attachments=[picture], **fields)
        )

    def post_warned(self, number, text, warning):
        self.post_sensitive(number, text, spoiler_text=warning)

    def edit(self, number, text):
        edited = self.server.status(number, text, edited_at="2026-05-14T09:00:00.000Z")
        self.server.put(edited, "status.update")

    def delete(self, number):
        self.server.delete(self.id(number))

    def poison(self):
        self.server.put({"id": self.id(10), "content": ["no", "text"]})

    def cut(self):
        self.server.script.append(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le"))
        self.server.cut()

    def server_error(self):
        self.server.script.append(refuse(500))
        self.server.cut()

    def rate_limit(self):
        self.server.script.append(refuse(429, {"X-RateLimit-Reset": "2027-01-15T08:05:00.000000Z"}))
        self.server.cut()

    def forbid(self):
        self.server.forbidden = True


class StreamHarness(MastodonHarness):
    """The next poll is an hour away: what comes, comes by the stream."""

    def source(self, cursor="", **options):
        return super().source(cursor, token="token", **options)

    def wait_until_heard(self):
        with gevent.Timeout(DEADLINE):
            while not self.server.streams:
                gevent.sleep(0.005)


class TestMastodon(SourceContract):
    harness = MastodonHarness
    warnings = True


class TestMastodonStream(SourceContract):
    harness = StreamHarness
    warnings = True


@pytest.fixture
def world(clock):
    with MastodonHarness(clock) as harness:
        yield harness


@pytest.fixture
def run(clock):
    runs = []

    def start(source):
        runs.append(Run(source, clock))
        return runs[-1]

    yield start
    for each in runs:
        each.stop()


def polls(world):
    return [(path, query) for path, query, _ in world.server.requests]


def test_the_stream_alone_brings_posts_edits_and_deletions(world, run):
    """The clock stands still, so that no second poll comes."""
    world.clock.wait = lambda event, seconds: event.wait(DEADLINE)
    run_ = begin(world, run, token="token")
    StreamHarness.wait_until_heard(world)
    world.post("1", "one")
    world.edit("1", "one, edited")
    world.post("2", "two")
    world.delete("2")
    world.server.tell("filters_changed", "")
    world.server.tell("update", "{no json")
    world.post("3", "three")

    run_.wait_until(lambda: "three" in run_.versions.values())
    assert sorted(run_.versions.values()) == ["one, edited", "three"]
    assert run_.source.skipped == 1
    assert len([path for path, _ in polls(world) if "timelines" in path]) == 1


@pytest.mark.parametrize("token", ["", "token"])
def test_a_post_that_breaks_our_reading_is_logged_and_the_next_one_is_read(
    world, run, caplog, monkeypatch, token
):
    def broken(status, **kwargs):
        if status["id"] == world.id("1"):
            raise ZeroDivisionError
        return from_mastodon(status, **kwargs)

    monkeypatch.setattr(mastodon, "from_mastodon", broken)
    world.clock.wait = lambda event, seconds: event.wait(DEADLINE)
    if not token:
        world.post("1", "one")
        world.post("2", "two")
    run_ = begin(world, run, token=token)
    if token:
        StreamHarness.wait_until_heard(world)
        world.post("1", "one")
        world.post("2", "two")

    run_.wait_until(lambda: list(run_.versions.values()) == ["two"])
    assert run_.source.skipped == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_hashtag_is_asked_for_by_its_name(world, run):
    begin(world, run, keywords=["#Tides", "gulls", "two words"])
    run_ = begin(world, run)
    run_.wait_until(lambda: len(world.server.requests) > 4)

    assert {path for path, _ in polls(world)} == {
        "/api/v1/timelines/tag/tides",
        "/api/v1/timelines/tag/gulls",
    }


def test_a_hole_larger_than_a_page_is_read_to_its_end(world, run):
    for number in range(1, 200):
        world.post(number, f"number {number}")

    run_ = run(world.source(cursor=world.id(10)))
    run_.wait_until(lambda: len(run_.versions) >= 189)

    ids = [int(post.id) - FIRST_ID for post in run_.posts[:189]]
    assert sorted(set(ids)) == list(range(11, 200))


def test_a_place_is_told_only_when_every_hashtag_was_read(world, run):
    world.post("1", "one")

    def timeline(connection):
        answer(connection, 200, [world.server.statuses[world.id("1")]])

    world.server.script = [timeline, refuse(500), timeline, timeline]
    run_ = run(world.source(keywords=["#tides", "#gulls"]))
    run_.wait_until(lambda: run_.cursor)

    marks = [item for item in run_.items if isinstance(item, Mark)]
    assert marks[0] == Mark(source="mastodon", cursor=world.id("1"))
    assert len([item for item in run_.items[: run_.items.index(marks[0])] if item.id == world.id("1")]) >= 2


def test_an_answer_without_posts_takes_nothing_down(world, run):
    """Only a server that says of a post that it is gone is believed."""
    world.post("1", "one")
    world.post("2", "two")
    run_ = begin(world, run)
    run_.wait_for(2)
    world.server.script = [lambda connection: answer(connection, 200, [])]
    before = len(world.server.requests)
    run_.wait_until(lambda: len(world.server.requests) > before + 6)

    assert len(run_.versions) == 2


def test_the_rate_limit_is_waited_for(world, run):
    world.server.script = [refuse(429, {"X-RateLimit-Reset": "2027-01-15T08:05:00.000000Z"})]
    run_ = begin(world, run)
    run_.wait_until(lambda: world.clock.waits)

    assert world.clock.waits[0] == 300.0


def test_an_answer_that_has_no_end_is_cut(world, run, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.sources.mastodon.LARGEST", 1000)
    world.post("1", "x" * 2000)
    run_ = begin(world, run)
    run_.wait_until(lambda: len(world.server.requests) > 2)

    assert run_.items == []


def test_without_a_hashtag_it_gives_up(world):
    with pytest.raises(Exception, match="asked for hashtags"):
        world.source(keywords=["two words"]).run(lambda item: None)
