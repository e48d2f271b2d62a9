import re
from dataclasses import fields

import pytest
from django.test import override_settings

from realtime_wall.wall import options
from realtime_wall.wall.options import Options, problems
from tests.live import ROOT


@pytest.fixture(autouse=True)
def no_secrets_around(monkeypatch):
    for name in options.FROM_THE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


def current(**wall):
    with override_settings(REALTIME_WALL={"WALL": wall}):
        return options.current()


def test_without_settings_there_is_no_source():
    assert current() == Options() == Options(sources=(), replay_speed=1.0, bearer_token="")


def test_every_option_can_be_set(tmp_path):
    path = tmp_path / "recording.jsonl"
    path.touch()

    assert current(
        SOURCES=["replay", "x", "x_search", "mastodon", "bluesky", "rss", "webhook"],
        REPLAY_FILE=str(path),
        REPLAY_SPEED=2,
        REPLAY_LOOP=True,
        TRACK_KEYWORDS=["tides"],
        TRACK_USERS=("maraquill", 7),
        BEARER_TOKEN="secret",
        POLL_EVERY=60,
        RSS_URLS=["https://a.example/feed"],
        RSS_EVERY=600,
        PRIVATE_HOSTS=["feeds.intranet"],
        POSTS_PER_HOUR=500,
        MASTODON_URL="https://mastodon.example",
        MASTODON_TOKEN="also secret",
        JETSTREAM_URL="wss://jetstream.example",
        WEBHOOK_SECRET="a secret that is long",
        WEBHOOK_SIGNED=True,
        VISITORS=True,
        VISITORS_ON_X=20,
        OEMBED_URL="https://publish.x.com/oembed",
        WEBSOCKET_SERVER="wss://live.example/ws/",
        CONTENT_SECURITY_POLICY="default-src 'self'",
        LOGFILE=str(tmp_path / "wall.log"),
        CONSUMER_KEY="c1",
        CONSUMER_SECRET="c2",
        ACCESS_TOKEN="a1",
        ACCESS_SECRET="a2",
        TWITTER_LIST="SaltmarshPy people",
        BANNED_USERS=["spammer"],
    ) == Options(
        sources=("replay", "x", "x_search", "mastodon", "bluesky", "rss", "webhook"),
        replay_file=str(path),
        replay_speed=2,
        replay_loop=True,
        track_keywords=("tides",),
        track_users=("maraquill", 7),
        bearer_token="secret",
        poll_every=60,
        rss_urls=("https://a.example/feed",),
        rss_every=600,
        private_hosts=("feeds.intranet",),
        posts_per_hour=500,
        mastodon_url="https://mastodon.example",
        mastodon_token="also secret",
        jetstream_url="wss://jetstream.example",
        webhook_secret="a secret that is long",
        webhook_signed=True,
        visitors=True,
        visitors_on_x=20,
        oembed_url="https://publish.x.com/oembed",
        websocket_server="wss://live.example/ws/",
        content_security_policy="default-src 'self'",
        logfile=str(tmp_path / "wall.log"),
        consumer_key="c1",
        consumer_secret="c2",
        access_token="a1",
        access_secret="a2",
        twitter_list="SaltmarshPy people",
        banned_users=("spammer",),
    )


def test_the_token_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("BEARER_TOKEN", "from outside")

    assert current().bearer_token == "from outside"
    assert current(BEARER_TOKEN=None).bearer_token == "from outside"
    assert current(BEARER_TOKEN="from settings").bearer_token == "from settings"


@pytest.mark.parametrize(
    "key, value, sentence",
    [
        ("SOURCE", ["x"], "is not a setting of the wall; these are: SOURCES, REPLAY_FILE"),
        ("SOURCES", "replay", "must be a list, not 'replay'"),
        ("SOURCES", ["replay", "y"], "has 'y'; known sources are replay, x, x_search"),
        ("SOURCES", ["nowhere.Source"], "which cannot be imported"),
        ("RSS_URLS", ["ftp://a.example"], "must begin with https://"),
        ("RSS_URLS", "https://a.example", "must be a list"),
        ("RSS_EVERY", 10, "must be from 60 to 86400 seconds, not 10"),
        ("POLL_EVERY", 1, "must be from 2 to 3600 seconds, not 1"),
        ("POLL_EVERY", float("nan"), "must be from 2 to 3600 seconds"),
        ("POSTS_PER_HOUR", -1, "must be a whole number"),
        ("POSTS_PER_HOUR", True, "must be a whole number"),
        ("MASTODON_URL", "mastodon.example", "must begin with https://"),
        ("MASTODON_URL", "https://[", "must be an address"),
        ("MASTODON_URL", 5, "must be an address"),
        ("JETSTREAM_URL", "https://jetstream.example", "must begin with wss://"),
        ("WEBSOCKET_SERVER", "https://live.example/ws/", "must begin with wss://"),
        ("LOGFILE", 5, "must be a path or None, not 5"),
        ("LOGFILE", "", "must be a path or None"),
        ("LOGFILE", "/", "names a folder: /"),
        ("LOGFILE", "nowhere/wall.log", "is in a folder that is not there: nowhere/wall.log"),
        ("OEMBED_URL", True, "must be an address"),
        ("MASTODON_TOKEN", 5, "must be a string"),
        ("WEBHOOK_SECRET", "secret", "must be a string of 16 characters"),
        ("SOURCES", [["x"]], "cannot hold \"['x']\""),
        ("REPLAY_FILE", 5, "must be a path or None, not 5"),
        ("REPLAY_FILE", "nowhere.jsonl", "names no file: nowhere.jsonl"),
        ("REPLAY_SPEED", 0, "must be a number above 0, not 0"),
        ("REPLAY_SPEED", "2", "must be a number above 0, not '2'"),
        ("REPLAY_SPEED", True, "must be a number above 0, not True"),
        ("REPLAY_SPEED", float("nan"), "must be a number above 0, not nan"),
        ("REPLAY_LOOP", 1, "must be True or False, not 1"),
        ("TRACK_KEYWORDS", "tides", "must be a list, not 'tides'"),
        ("TRACK_KEYWORDS", ["tides", " "], "cannot hold ' '"),
        ("TRACK_KEYWORDS", ["x" * 1100], "cannot hold 'xxx"),
        ("TRACK_USERS", [True], "cannot hold 'True'"),
        ("BANNED_USERS", [5], "cannot hold '5'"),
        ("BEARER_TOKEN", ["secret"], "must be a string"),
    ],
)
def test_nonsense_is_named_and_left_at_its_default(key, value, sentence):
    (problem,) = problems({key: value})

    assert problem[0] == key
    assert sentence in problem[1]
    assert "secret" not in problem[1]
    assert current(**{key: value}) == Options()


def test_no_file_means_the_sample():
    assert problems({"REPLAY_FILE": None, "SOURCES": ["replay"]}) == []


def test_x_needs_something_to_ask_for():
    assert problems({"SOURCES": ["x"]}) == [
        ("SOURCES", "has 'x', but nothing to ask it for: Set at least TRACK_KEYWORDS or TRACK_USERS")
    ]
    assert problems({"SOURCES": ["mastodon"], "TRACK_KEYWORDS": ["tides"]}) == [
        ("SOURCES", "has 'mastodon', but no server to ask: Set MASTODON_URL")
    ]
    assert [key for key, _ in problems({"SOURCES": ["bluesky", "mastodon", "rss"]})] == ["SOURCES"] * 3
    assert problems({"SOURCES": ["x"], "TRACK_USERS": [7]}) == []
    assert problems({"SOURCES": ["x"], "TRACK_KEYWORDS": ["tides"]}) == []


def test_every_option_is_documented_with_its_default():
    page = "".join((ROOT / "docs/howto" / name).read_text() for name in ("wall.rst", "sources.rst"))

    documented = dict(re.findall(r"^``([A-Z_]+)``\n    Default ``(.*?)``\.", page, re.M))

    defaults = {item.name.upper(): getattr(Options(), item.name) for item in fields(Options)}
    # Who writes settings writes lists.
    assert documented == {
        name: repr(list(value) if isinstance(value, tuple) else value) for name, value in defaults.items()
    }
