import json

import gevent
import pytest

from realtime_wall.wall.post import Mark
from realtime_wall.wall.sources.bluesky import BlueskySource
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from tests.fake_jetstream import DID, FakeJetstream
from tests.wall.fakes import DEADLINE
from tests.wall.sources.contract import Harness, Run, SourceContract, begin


class BlueskyHarness(Harness):
    def __init__(self, clock):
        super().__init__(clock)
        self.server = FakeJetstream()

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *problem):
        self.server.__exit__(*problem)

    def source(self, cursor="", keywords=("#tides",), **options):
        options.setdefault("backoff", ReconnectBackoff(jitter=lambda: 0.0))
        options.setdefault("stall", 3.0)
        server = self.server
        return BlueskySource(
            keywords,
            cursor=cursor,
            url=server.url,
            profiles_url=server.profiles_url,
            clock=self.clock,
            **options,
        )

    def record(self, text):
        return {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-05-14T08:50:00.000Z"}

    def post(self, number, text):
        self.server.commit("create", f"3k{number}", self.record(text))

    def post_sensitive(self, number, text):
        labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "sexual"}]}
        image = {"alt": "", "image": {"ref": {"$link": "bafkreiabcdefghijkl"}}}
        embed = {"$type": "app.bsky.embed.images", "images": [image]}
        self.server.commit("create", f"3k{number}", self.record(text) | {"labels": labels, "embed": embed})

    def edit(self, number, text):
        self.server.commit("update", f"3k{number}", self.record(text))

    def delete(self, number):
        self.server.commit("delete", f"3k{number}")

    def poison(self):
        self.server.send("{no json")

    def cut(self):
        self.server.cut()

    def server_error(self):
        self.server.script.append(503)
        self.server.cut()

    def rate_limit(self):
        self.server.script.append(429)
        self.server.cut()

    def forbid(self):
        self.server.forbidden = True

    def wait_until_heard(self):
        self.wait_until(lambda: self.server._connections)

    def wait_until_deaf(self):
        self.server.cut()

    def wait_until(self, condition):
        with gevent.Timeout(DEADLINE):
            while not condition():
                gevent.sleep(0.005)


class TestBluesky(SourceContract):
    harness = BlueskyHarness


@pytest.fixture
def world(clock):
    with BlueskyHarness(clock) as harness:
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


def test_only_what_was_asked_for_is_taken(world, run):
    run_ = begin(world, run, keywords=["#tides", "spring gulls"])
    world.post(1, "nothing of interest")
    world.post(2, "all about #Tides")
    world.post(3, "the spring gulls are back")
    world.server.commit("create", "3k4", world.record("beside it") | {"tags": ["tides"]})
    world.server.commit("create", "3k5", world.record("#tides"), collection="app.bsky.feed.like")
    world.post(6, "the last #tides")
    run_.wait_for(4)

    assert [post.id[-3:] for post in run_.posts] == ["3k2", "3k3", "3k4", "3k6"]


def test_a_writer_has_the_name_of_the_profile_which_is_read_once(world, run):
    run_ = begin(world, run)
    world.post(1, "#tides")
    world.post(2, "#tides")
    run_.wait_for(2)

    assert {(post.author.name, post.author.username) for post in run_.posts} == {("Mara", "mara.example")}
    assert list(run_.source._profiles) == [DID]


def test_without_a_profile_the_post_is_shown_all_the_same(world, run):
    world.server.profiles.clear()
    run_ = begin(world, run)
    world.post(1, "#tides")
    run_.wait_for(1)

    assert run_.posts[0].author.name == DID


def test_a_post_that_no_longer_matches_is_taken_back(world, run):
    run_ = begin(world, run)
    world.post(1, "#tides")
    run_.wait_for(1)
    world.edit(1, "something else")

    run_.wait_until(lambda: run_.versions == {})


def test_after_a_cut_it_goes_on_where_it_was_and_the_last_event_comes_again(world, run):
    run_ = begin(world, run)
    world.post(1, "#tides")
    world.post(2, "nothing")
    world.post(3, "#tides")
    run_.wait_for(2)
    world.cut()
    world.wait_until(lambda: len(world.server.dials) == 2)

    assert "cursor" not in world.server.dials[0]
    assert world.server.dials[1]["cursor"] == ["3"]
    assert world.server.dials[1]["collections"] == ["app.bsky.feed.post"]


def test_a_cursor_that_is_too_old_is_told_and_forgotten(world, run, caplog):
    world.server.oldest = 10
    run_ = begin(world, run, cursor="5")
    world.post(1, "#tides")
    run_.wait_for(1)

    assert "no longer has what followed 5" in caplog.text


def test_where_nothing_matches_the_place_is_marked(world, run, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.sources.bluesky.MARK_EVERY", 5)
    run_ = begin(world, run)
    for number in range(12):
        world.post(number, "nothing")
    run_.wait_until(lambda: len(run_.items) == 2)

    assert run_.items == [Mark(source="bluesky", cursor="5"), Mark(source="bluesky", cursor="10")]


def test_silence_is_a_stall(world, run):
    run_ = begin(world, run, stall=0.2)
    world.wait_until(lambda: len(world.server.dials) >= 2)
    world.post(1, "#tides")
    world.wait_until(lambda: world.server._connections)
    run_.wait_until(lambda: len(world.server.dials) >= 2)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"$type": "error", "error": "ConsumerTooSlow"}',
        '{"payload": {"$type": "network.bsky.jetstream.subscribeEvents#commit"}}',
        '{"payload": {"$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": 1e400}}',
        "[" * 50_000,
        json.dumps({"payload": {"$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": 2**70}}),
    ],
)
def test_a_bad_event_is_skipped_and_the_connection_lives(world, run, text):
    run_ = begin(world, run)
    world.server.send(text)
    world.post(1, "#tides")
    run_.wait_for(1)

    assert run_.source.skipped == 1
    assert len(world.server.dials) == 1


@pytest.mark.parametrize("kind", ["identity", "account", "sync", "somethingNew", "info"])
def test_events_of_other_kinds_are_no_trouble(world, run, kind):
    run_ = begin(world, run)
    payload = {"$type": f"network.bsky.jetstream.subscribeEvents#{kind}", "seq": 1, "did": DID}
    world.server.send(json.dumps({"$type": "message", "payload": payload}))
    world.post(1, "#tides")
    run_.wait_for(1)

    assert run_.source.skipped == 0


def test_a_host_that_is_not_there_is_dialled_by_the_table(world, run):
    source = world.source()
    source._url = "ws://127.0.0.1:1"
    run_ = run(source)
    run_.wait_until(lambda: len(world.clock.waits) >= 4)

    assert world.clock.waits[:4] == [0.0, 0.25, 0.5, 0.75]
