import gc
import json
import time
from contextlib import contextmanager, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_wall.protocol import json_pieces
from realtime_wall.protocol.json_checks import values_of
from realtime_wall.protocol.json_input import LARGE, BadJSON, NotJSON, load_json
from realtime_wall.protocol.json_pieces import WINDOW, LargeJSON
from tests.protocol.test_json_input import DEPTH as LITTLE_DEPTH
from tests.protocol.test_json_input import HALVES, INFINITE, documents, expected, pieces

DEPTH, VALUES = 32, 1000
MEBIBYTE = 1024 * 1024


@contextmanager
def small_window(size):
    json_pieces.WINDOW = size
    try:
        yield
    finally:
        json_pieces.WINDOW = WINDOW


def received(text, size):
    """What is read through a window of that size."""
    with small_window(size):
        try:
            return LargeJSON(text, LITTLE_DEPTH, None, lambda: None).read()
        except BadJSON as refused:
            return type(refused)


# The same as at once


@given(documents, st.integers(1, 40))
def test_every_document_is_judged_as_the_obvious_way_does(text, size):
    assert received(text, size) == expected(text, LITTLE_DEPTH)


@given(st.lists(pieces, max_size=20).map("".join), st.integers(1, 10))
@example('{"a":1,"a":[2,3],"b":4}', 4)
def test_anything_else_is_judged_as_the_obvious_way_does(text, size):
    wanted, got = expected(text, LITTLE_DEPTH), received(text, size)

    # Of several faults the first is named, and not the same for all windows.
    assert got == wanted or (wanted in (NotJSON, BadJSON) and got in (NotJSON, BadJSON))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("bad", [*HALVES, *INFINITE, "NaN", "9" * 5000, "[[[[[1]]]]]", '{"a":[[[[]]]]}'])
def test_what_is_refused_at_once_is_refused_in_pieces(bad, size):
    for text in (bad, f'[1,{bad},"end"]', f'{{"a":"beginning","b":{bad}}}'):
        assert received(text, size) is BadJSON


@pytest.mark.parametrize("number", ["1e+5", "-2.5E-3", "1.25", "12345", "0.5e5"])
def test_a_number_may_be_cut_by_the_window_anywhere(number):
    text = json.dumps(["}],"] * 3) + "," + number  # where an item ends is hard to see: they come one by one
    text = f"[{text},{number}, {number} ]"

    assert all(received(text, size) == json.loads(text) for size in range(1, 70))


def test_of_two_equal_names_the_last_counts():
    text = '{"a":1,"b":[1,2,3],"a":{"c":[4]},"b":5}'

    assert all(received(text, size) == json.loads(text) for size in range(1, 50))


# Turns


WORST = {
    "empty arrays": "[" + "[]," * (MEBIBYTE // 3) + "1]",
    "nested arrays": "[" + ("[" * 31 + "]" * 31 + ",") * (MEBIBYTE // 64) + "1]",
    "objects": "[" + '{"a":1},' * (MEBIBYTE // 8) + "1]",
    "numbers": "[" + "1," * (MEBIBYTE // 2) + "1]",
    "floats": "[" + "0.12345678901234567," * (MEBIBYTE // 20) + "1]",
    "thousands of digits": "[" + ("9" * 4000 + ",") * (MEBIBYTE // 4001) + "1]",
    "a million digits": "[0." + "1" * MEBIBYTE + "]",
    "empty texts": "[" + '"",' * (MEBIBYTE // 3) + "1]",
    "different names": "{" + ",".join(f'"{number}":1' for number in range(MEBIBYTE // 12)) + "}",
    "the same name": "{" + ",".join(['"a":1'] * (MEBIBYTE // 6)) + "}",
    "one text": '"' + "x" * MEBIBYTE + '"',
    "escapes": '"' + r"\n" * (MEBIBYTE // 2) + '"',
    "pairs": '"' + r"\ud83d\ude00" * (MEBIBYTE // 12) + '"',
    "space": "[" + " " * MEBIBYTE + "]",
    "brackets that never close": "[" * MEBIBYTE,
    "a text that never ends": '["' + r"\"" * (MEBIBYTE // 2),
    "commas in texts": "[" + '{"a":"},],,"},' * (MEBIBYTE // 14) + "1]",
    "large and deep": "[" + ("[" * 30 + '"' + "x" * 17_000 + '"' + "]" * 30 + ",") * 60 + "1]",
}


@pytest.mark.threat("S47", "S49")
@pytest.mark.parametrize("name", WORST)
def test_nobody_waits_long_for_the_worst_of_a_mebibyte(name):
    """CPU seconds between two turns; the figures are in bench: here, what a slow machine takes, too."""
    gc.disable()  # as while the server reads such a message
    turns, text = [time.thread_time()], WORST[name]
    with suppress(BadJSON):
        load_json(text, DEPTH, 250_000, lambda: turns.append(time.thread_time()))
    turns.append(time.thread_time())
    gc.enable()

    assert max(after - before for before, after in zip(turns, turns[1:], strict=False)) < 0.02


def test_a_document_of_a_mebibyte_that_is_meant_well_is_read():
    item = {"id": 1, "name": "Some name", "ok": True, "tags": ["a", "b"], "at": [1.5, 2.5]}
    text = json.dumps({"type": "all", "message": [item] * 10_000})
    turns = []

    assert load_json(text, DEPTH, 250_000, lambda: turns.append(1)) == json.loads(text)
    assert len(turns) >= len(text) // WINDOW


@pytest.mark.parametrize(
    "text", ["[" + "[]," * 20_000 + "1]", json.dumps(dict.fromkeys(map(str, range(20_000))))]
)
def test_what_is_refused_is_forgotten_in_turns_too(text):
    counts = {}
    for max_values in (15_000, None):
        turns = counts[max_values] = []
        with suppress(BadJSON):
            load_json(text, DEPTH, max_values, lambda turns=turns: turns.append(1))

    windows = len(text) // WINDOW
    assert windows <= len(counts[None]) < windows + 8
    assert len(counts[15_000]) > windows * 15_000 / values_of(text) + 12


def test_others_have_a_turn_before_the_brackets_of_a_window_are_gone_through(monkeypatch):
    steps, tokens = [], json_pieces._tokens
    monkeypatch.setattr(json_pieces, "_tokens", lambda window: (steps.append("tokens"), tokens(window))[1])
    load_json("[" + "[1]," * LARGE + "1]", DEPTH, 250_000, lambda: steps.append("turn"))

    assert steps[:2] == ["turn", "tokens"]


def test_a_small_text_is_read_at_once():
    load_json("[" + "1," * (LARGE // 2 - 10) + "1]", DEPTH, 250_000, lambda: pytest.fail("a turn"))


# How much there is to read


def is_refused(text, max_values=VALUES):
    def refused(turn):
        try:
            load_json(text, DEPTH, max_values, turn)
        except BadJSON as refused:
            assert refused.reason == "too many values"
            return True
        return False

    at_once, in_pieces = refused(None), refused(lambda: None)
    assert at_once == in_pieces
    return at_once


def many(unit, count):
    return "[" + ",".join([unit] * count) + "]"


@pytest.mark.parametrize("value", ["1", "true", "null", '"a"', '""', '"a,b"', "1.5", "1e5"])
def test_so_many_values_are_read_and_no_more(value):
    assert not is_refused(many(value, VALUES - 5))
    assert is_refused(many(value, VALUES + 5))


@pytest.mark.parametrize("value", ["[]", "{}", '{"a":1}', "[" * 20 + "]" * 20])
def test_containers_and_keys_count_too(value):
    assert not is_refused(many(value, VALUES // 70))
    assert is_refused(many(value, VALUES // 2))


@pytest.mark.parametrize("text", [",", "[", "{", "}", ":", "0123456789", "x", "é"])
def test_what_stands_in_a_string_costs_nothing(text):
    assert not is_refused(json.dumps([text * 20_000], ensure_ascii=False))


@pytest.mark.parametrize("text", [",[{", '"', "\\", "\\\\"])
def test_an_escaped_quote_ends_no_string(text):
    inside = json.dumps(text + ",")
    assert not is_refused(many(inside, VALUES // 8))
    assert is_refused(many(inside, VALUES))


def test_many_escapes_cost_something():
    assert not is_refused('["' + "\\n" * (VALUES // 2) + '"]')
    assert is_refused('["' + "\\n" * 2 * VALUES + '"]')


@pytest.mark.parametrize("around", ['["%s"]', '{"%s":1}', '[[1],{"a":"%s"}]'])
def test_escapes_of_a_string_that_is_longer_than_a_window_count_to_its_end(around):
    plain = "x" * LARGE
    assert not is_refused(around % (plain + "\\n" * (VALUES - 20) + plain))
    assert is_refused(around % (plain + "\\n" * (VALUES + 20) + plain))


def test_the_comma_behind_what_is_longer_than_a_window_counts():
    assert is_refused(many("1" + " " * LARGE, 12), 9)
    assert not is_refused(many("1" + " " * LARGE, 8), 12)


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
