import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.channels.rules import Rule, Rules, matcher, problems


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("news", ["news"], ["new", "newsy", "anews", ""]),
        ("*", ["", "anything", "a.b"], []),
        ("user.*", ["user.", "user.7"], ["user", "users.7"]),
        ("*.private", [".private", "a.private"], ["private", "a.private.b"]),
        ("a*b*c", ["abc", "axbxc", "abbc", "abcbc"], ["ac", "acb", "bac"]),
        ("ab*ba", ["abba", "abxba"], ["aba"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_a_star_stands_for_any_characters_and_nothing_else_is_special(pattern, fitting, other):
    fits = matcher(pattern)

    assert all(map(fits, fitting))
    assert not any(map(fits, other))


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_pattern_fits_what_a_regular_expression_says(pattern, name):
    import re

    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name)

    assert matcher(pattern)(name) is (expected is not None)


def test_the_first_fitting_pattern_holds_over_what_holds_everywhere():
    rules = Rules(
        {"tweets.hall": {"HISTORY_SIZE": 1}, "tweets*": {"READ": "staff"}, "*": {"MAX_SUBSCRIBERS": 5}},
        Rule(history_size=7),
    )

    assert rules.of("tweets.hall") == Rule(history_size=1)
    assert rules.of("tweets") == Rule(history_size=7, read="staff")
    assert rules.of("room") == Rule(history_size=7, max_subscribers=5)
    assert rules.of("room") is rules.of("room")


def test_a_rule_that_means_nothing_is_named():
    setting = {
        "a": {"READ": "stuff", "HISTORY_SIZE": -1, "HISTORY_AGE": float("nan"), "OVERFLOW": "burst"},
        "b": {"MAX_SUBSCRIBERS": True, "WRITE": 7, "EXISTING_ONLY": "yes", "KEY": "", "IDLE_TIME": 0},
        "c": {"HISTROY_SIZE": 1, "PRESENCE": "who"},
        "d": 1,
        "x/y": {},
        "e": {"OVERFLOW": "latest"},
        7: {},
    }

    found = dict(problems(setting))

    assert set(found) == {
        *(f"['CHANNELS']['a'][{key!r}]" for key in ("READ", "HISTORY_SIZE", "HISTORY_AGE", "OVERFLOW")),
        *(
            f"['CHANNELS']['b'][{key!r}]"
            for key in ("MAX_SUBSCRIBERS", "WRITE", "EXISTING_ONLY", "KEY", "IDLE_TIME")
        ),
        "['CHANNELS']['c']['HISTROY_SIZE']",
        "['CHANNELS']['c']['PRESENCE']",
        "['CHANNELS']['d']",
        "['CHANNELS']['x/y']",
        "['CHANNELS']['e']['OVERFLOW']",
        "['CHANNELS'][7]",
    }
    assert found["['CHANNELS']['c']['HISTROY_SIZE']"] == "is not an option (did you mean 'HISTORY_SIZE'?)"
    assert problems([]) == [("['CHANNELS']", "has to be a dict of patterns and dicts")]


def test_what_the_page_of_settings_shows_is_fine():
    setting = {
        "news": {"HISTORY_SIZE": 100, "HISTORY_AGE": 60},
        "user.*": {"READ": False, "WRITE": ["staff", "token"]},
        "price": {"OVERFLOW": "latest", "KEY": "symbol"},
        "team.*": {"READ": "permissions.in_team", "WRITE": lambda request, channel: True},
        "*": {"EXISTING_ONLY": True, "MAX_SUBSCRIBERS": 1000, "IDLE_TIME": 0.5},
        "kept": {"IDLE_TIME": None},
    }

    assert problems(setting) == []


@pytest.mark.parametrize("who", [True, False, "people.who", lambda socket, channel: None])
def test_presence_is_wanted_or_not_or_a_function_says_who(who):
    assert problems({"room": {"PRESENCE": who}}) == []
    assert Rules({"a": {}, "room": {"PRESENCE": who}}).have_presence is (who is not False)


@pytest.mark.parametrize("who", [None, 1, "who", ["people.who"]])
def test_what_does_not_say_who_somebody_is_is_named(who):
    ((where, _),) = problems({"room": {"PRESENCE": who}})
    assert where == "['CHANNELS']['room']['PRESENCE']"
