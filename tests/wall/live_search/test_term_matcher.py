import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.live_search.term_matcher import Matcher


def has(term, text, hashtags=()):
    matcher = Matcher()
    matcher.add("key", term)
    return matcher.matches(text, hashtags) == {"key"}


@pytest.mark.parametrize(
    "term, text",
    [
        ("tides", "The tides are high"),
        ("TIDES", "the Tides, again"),
        ("tides", "all about #tides"),
        ("#tides", "all about #Tides!"),
        ("spring tides", "the  Spring\ntides come"),
        ("cafe", "at the Café"),
        ("Straße", "in der STRASSE"),
        ("潮", "今日の潮は高い"),
        ("🌊", "look 🌊!"),
        ("c++", "in c++ today"),
        ("#one two", "#one two"),
    ],
)
def test_a_text_has_a_term(term, text):
    assert has(term, text)


@pytest.mark.parametrize(
    "term, text",
    [
        ("tide", "The tides are high"),
        ("#tides", "The tides are high"),
        ("spring tides", "tides in spring"),
        ("spring tides", "spring high tides"),
        ("#tides", "#tidesoftheyear"),
        ("🌊", "no wave"),
        ("", "anything"),
        ("tides", ""),
    ],
)
def test_a_text_does_not_have_a_term(term, text):
    assert not has(term, text)


def test_a_hashtag_may_be_outside_of_the_text():
    assert has("#tides", "Look at this", ["Tides"])


def test_each_key_has_one_term():
    matcher = Matcher()
    matcher.add("a", "tides")
    matcher.add("a", "gulls")
    matcher.add("b", "gulls")

    assert matcher.matches("tides") == set()
    assert matcher.matches("gulls") == {"a", "b"}
    matcher.remove("a")
    matcher.remove("nobody")
    assert matcher.matches("gulls") == {"b"}
    assert len(matcher) == 1


@given(st.dictionaries(st.integers(0, 20), st.text("ab #潮", max_size=6)), st.text("ab #潮", max_size=30))
def test_many_terms_are_found_as_each_alone_is(terms, text):
    matcher = Matcher()
    for key, term in terms.items():
        matcher.add(key, term)

    assert matcher.matches(text) == {key for key, term in terms.items() if has_alone(term, text)}


def has_alone(term, text):
    matcher = Matcher()
    matcher.add(None, term)
    return matcher.matches(text) == {None}


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "#a", "a b", "潮", ""]))))
def test_what_is_taken_out_leaves_nothing_behind(steps):
    matcher = Matcher()
    for key, term in steps:
        matcher.add(key, term)
    for key, _ in steps:
        matcher.remove(key)

    assert len(matcher) == 0
    assert matcher._by_first_word == {}
