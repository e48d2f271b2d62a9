import re
from dataclasses import fields

import pytest
from django.test import override_settings

from realtime_wall.wall import options
from realtime_wall.wall.options import Options, problems
from tests.live import ROOT


@pytest.fixture(autouse=True)
def no_token_around(monkeypatch):
    monkeypatch.delenv("BEARER_TOKEN", raising=False)


def current(**wall):
    with override_settings(REALTIME_WALL={"WALL": wall}):
        return options.current()


def test_without_settings_there_is_no_source():
    assert current() == Options() == Options(sources=(), replay_speed=1.0, bearer_token="")


def test_every_option_can_be_set(tmp_path):
    path = tmp_path / "recording.jsonl"
    path.touch()

    assert current(
        SOURCES=["replay", "x"],
        REPLAY_FILE=str(path),
        REPLAY_SPEED=2,
        REPLAY_LOOP=True,
        TRACK_KEYWORDS=["tides"],
        TRACK_USERS=("maraquill", 7),
        BEARER_TOKEN="secret",
        BANNED_USERS=["spammer"],
    ) == Options(
        sources=("replay", "x"),
        replay_file=str(path),
        replay_speed=2,
        replay_loop=True,
        track_keywords=("tides",),
        track_users=("maraquill", 7),
        bearer_token="secret",
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
        ("SOURCES", ["replay", "y"], "has 'y'; known sources are replay, x"),
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
    assert problems({"SOURCES": ["x"], "TRACK_USERS": [7]}) == []
    assert problems({"SOURCES": ["x"], "TRACK_KEYWORDS": ["tides"]}) == []


def test_every_option_is_documented_with_its_default():
    page = (ROOT / "docs/howto/wall.rst").read_text()

    documented = dict(re.findall(r"^``([A-Z_]+)``\n    Default ``(.*?)``\.", page, re.M))

    defaults = {item.name.upper(): getattr(Options(), item.name) for item in fields(Options)}
    # Who writes settings writes lists.
    assert documented == {
        name: repr(list(value) if isinstance(value, tuple) else value) for name, value in defaults.items()
    }
