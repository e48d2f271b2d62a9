import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.json_input import BadJSON, load_json

DEPTH, VALUES = 32, 1000


def is_refused(text, max_values=VALUES):
    try:
        load_json(text, DEPTH, max_values)
    except BadJSON as refused:
        assert refused.reason == "too many values"
        return True
    return False


def many(unit, count):
    return "[" + ",".join([unit] * count) + "]"


@pytest.mark.parametrize("value", ["1", "true", "null", '"a"', '""', '"a,b"', "1.5", "1e5"])
def test_so_many_values_are_read_and_no_more(value):
    assert not is_refused(many(value, VALUES - 5))
    assert is_refused(many(value, VALUES + 5))


@pytest.mark.parametrize("value", ["[]", "{}", '{"a":1}', "[" * 20 + "]" * 20])
def test_containers_and_keys_count_too(value):
    assert not is_refused(many(value, VALUES // 50))
    assert is_refused(many(value, VALUES // 2))


@pytest.mark.parametrize("text", [",", "[", "{", "}", ":", "0123456789", "x", "é"])
def test_what_stands_in_a_string_costs_nothing(text):
    assert not is_refused(json.dumps([text * 20_000], ensure_ascii=False))


@pytest.mark.parametrize("text", [",[{", '"', "\\", "\\\\"])
def test_an_escaped_quote_ends_no_string(text):
    inside = json.dumps(text + ",")
    assert not is_refused(many(inside, VALUES // 8))
    assert is_refused(many(inside, VALUES))


@pytest.mark.parametrize("digits", ["9" * 4000, "0." + "123456789" * 40, "0." + "123456789" * 3])
def test_long_numbers_cost_more_than_short_ones(digits):
    assert is_refused(many(digits, VALUES * 10 // len(digits)))
    assert not is_refused(many(digits, VALUES * 2 // len(digits)))


def test_many_escapes_cost_something_as_each_may_be_half_a_pair():
    assert not is_refused('["' + "\\n" * (VALUES // 2) + '"]')
    assert is_refused('["' + "\\n" * 2 * VALUES + '"]')


def test_what_is_no_json_is_refused_before_its_fault_is_found():
    assert is_refused(many("1", VALUES * 2)[:-1])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner), max_leaves=40
    )
)
def test_no_value_goes_uncounted(value):
    def count(one):
        return 1 + sum(map(count, one)) if isinstance(one, list) else 1

    values = count(value)
    if values > 2:
        assert is_refused(json.dumps(value, ensure_ascii=False), values // 2 - 1)
