import pytest
import tweepy

from realtime_wall.wall.sources.source import SourceGaveUp
from realtime_wall.wall.sources.x.stream import _Client
from realtime_wall.wall.sources.x.stream_rules import rules_for, set_rules
from tests.fake_x import FakeX

OURS = "realtime_wall:main"


@pytest.fixture
def x():
    with FakeX() as x:
        yield x


def set_(x, *wanted):
    client = _Client("token", x.url, 3.0, pytest.fail)
    set_rules(client, {OURS: wanted}, lambda tag: tag == OURS)


def posts(x):
    return [body for method, _, _, body in x.requests if method == "POST"]


def test_words_hashtags_phrases_and_users_share_a_rule():
    assert rules_for(["tides", "#SaltmarshPy", "rock pool"], ["@maraquill", 123]) == [
        '"tides" OR #SaltmarshPy OR "rock pool" OR from:maraquill OR from:123'
    ]


def test_no_word_is_taken_for_an_operator():
    assert rules_for(["OR", "-spam", 'a" OR from:b', "  two\n words "], []) == [
        '"OR" OR "-spam" OR "a OR from:b" OR "two words"'
    ]


def test_what_is_asked_for_twice_is_asked_once():
    assert rules_for(["tides", "tides"], ["a", "@a"]) == ['"tides" OR from:a']


def test_a_rule_is_never_longer_than_x_allows():
    words = [f"#word{number:04}" for number in range(500)]

    rules = rules_for(words, [])

    assert max(map(len, rules)) <= 1024
    assert min(map(len, rules[:-1])) > 1000
    assert " OR ".join(rules).split(" OR ") == words


def test_a_rule_is_filled_to_the_last_character():
    words = ["#" + "a" * 509, "#" + "b" * 509]

    assert [len(rule) for rule in rules_for(words, [])] == [1024]
    assert [len(rule) for rule in rules_for([words[0] + "a", words[1]], [])] == [511, 510]


def test_a_word_that_fits_no_rule_is_refused():
    assert len(rules_for(["x" * 1022], [])[0]) == 1024
    with pytest.raises(ValueError, match="too long for X"):
        rules_for(["x" * 1023], [])


def test_missing_rules_are_added_with_our_tag(x):
    set_(x, '"tides"', "#more")

    assert [(rule["value"], rule["tag"]) for rule in x.rules] == [('"tides"', OURS), ("#more", OURS)]


def test_rules_that_are_there_are_left_alone(x):
    set_(x, '"tides"')
    set_(x, '"tides"')

    assert len(posts(x)) == 1


def test_stale_rules_of_ours_are_deleted_and_those_of_others_kept(x):
    x.rules = [
        {"id": "1", "value": "old", "tag": OURS},
        {"id": "2", "value": "theirs", "tag": "another program"},
        {"id": "3", "value": "untagged"},
        {"id": "4", "value": "upstairs", "tag": "realtime_wall:upstairs"},
    ]
    set_(x, '"tides"')

    assert [rule["value"] for rule in x.rules] == ["theirs", "untagged", "upstairs", '"tides"']
    assert posts(x)[0] == {"delete": {"ids": ["1"]}}


def test_a_rule_that_somebody_else_has_too_will_do(x):
    x.rules = [{"id": "2", "value": '"tides"', "tag": "another program"}]

    set_(x, '"tides"')

    assert len(x.rules) == 1


def test_a_rule_that_x_refuses_is_a_matter_for_a_person(x):
    x.rules_script = [
        (200, {"meta": {}}),
        (201, {"errors": [{"title": "UnprocessableEntity", "details": ["bad operator"]}]}),
    ]

    with pytest.raises(SourceGaveUp, match="TRACK_KEYWORDS and TRACK_USERS: .*bad operator"):
        set_(x, '"tides"')


def test_an_http_error_is_told(x):
    x.rules_script = [(503, {})]

    with pytest.raises(tweepy.TwitterServerError):
        set_(x, '"tides"')
