import pytest

from realtime_wall.channels import path
from realtime_wall.channels.rules import Rules, problems
from realtime_wall.channels.wildcards import check_subscribable, is_among, is_wildcard, means
from realtime_wall.errors import InvalidChannel

RULES = Rules({"news.secret": {"READ": False}, "news*": {"WILDCARDS": 2}, "sport*": {}})


def test_a_wildcard_is_a_name_with_a_star_at_its_end():
    assert [is_wildcard(name) for name in ("news*", "news", "n*ws", "*", "*.presence")] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_it_means_what_begins_so_and_has_the_rule_that_allows_it():
    assert means("news*", "news", RULES) and means("news.*", "news.a", RULES)
    assert not means("news.*", "news", RULES)
    assert not means("news*", "news.secret", RULES)


def test_it_is_subscribed_to_where_a_rule_allows_it_so_many_times():
    assert check_subscribable("news.a*", RULES) == "news.a*"
    assert check_subscribable("news.a*", RULES, ["news.a*", "news.b*"]) == "news.a*"  # it is one of them
    with pytest.raises(InvalidChannel, match="may have 2 wildcards"):
        check_subscribable("news.c*", RULES, ["news.a*", "news.b*", "news.d"])


@pytest.mark.parametrize("name", ["sport*", "new*", "weather*", "*", "n*s*", "*.presence", "", None, "a/*"])
def test_elsewhere_it_is_refused(name):
    with pytest.raises(InvalidChannel):
        check_subscribable(name, RULES)


def test_a_path_may_have_as_many_as_the_rule_lets_it():
    assert path.parse("news.a*.b5/news.x/news.b*", 8, RULES) == {"news.a*": 5, "news.x": 0, "news.b*": 0}
    for refused in ("news.a*/news.b*/news.c*", "sport*", "*"):
        with pytest.raises(path.BadPath, match="not authorized"):
            path.parse(refused, 8, RULES)


def test_a_channel_is_among_names_by_its_own_or_by_a_wildcard():
    assert is_among("news.a", ["x", "news*"]) and is_among("x", ["x"])
    assert not is_among("new", ["x", "news*"])


@pytest.mark.parametrize("read", ["permissions.may_read", [True, lambda request, channel: True]])
def test_a_rule_that_asks_a_function_cannot_allow_wildcards(read):
    ((where, sentence),) = problems({"news*": {"READ": read, "WILDCARDS": 1}})

    assert where == "['CHANNELS']['news*']['WILDCARDS']"
    assert "in words" in sentence
