import gc
import json
import math
import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_wall.protocol.json_input import BadJSON, NotJSON, load_json
from tests.collector import lost_at_the_end_of_the_stack

DEPTH = 4


def nested(depth, inner="1"):
    return "[" * depth + inner + "]" * depth


def refusal(text, max_depth=32):
    with pytest.raises(BadJSON) as refused:
        load_json(text, max_depth)
    assert str(refused.value) == refused.value.reason
    return refused.value


# Obvious and slow: what load_json has to agree with


def depth_of(text):
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def is_harmless(value):
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return not re.search("[\ud800-\udfff]", value)
    if isinstance(value, list):
        return all(map(is_harmless, value))
    if isinstance(value, dict):
        return all(map(is_harmless, value)) and all(map(is_harmless, value.values()))
    return True


def expected(text, max_depth):
    """The value, BadJSON or NotJSON."""
    try:
        # Pairs, because of two equal names in an object only the second is kept.
        pairs = json.loads(text, object_pairs_hook=lambda pairs: [list(pair) for pair in pairs])
    except ValueError:
        return NotJSON
    if depth_of(text) > max_depth or not is_harmless(pairs):
        return BadJSON
    return json.loads(text)


def received(text, max_depth):
    try:
        return load_json(text, max_depth)
    except BadJSON as refused:
        return type(refused)


def test_harmless_json_is_read_as_it_is():
    text = ' {"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00 \\\\ \\" [{"], "b": {}} '

    assert load_json(text, 2) == {"a": [1, -2500.0, True, None, 'é😀 \\ " [{'], "b": {}}


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "{'a': 1}", "nope", '"open', '"tab\t"', "[1] 2", "\ufeff1", "01"]
)
def test_text_that_is_no_json_says_where(text):
    problem = refusal(text)

    assert type(problem) is NotJSON
    assert re.search(r" at character \d+$", problem.reason)


@pytest.mark.threat("S48")
@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_constants_of_python_and_javascript_are_refused(text):
    problem = refusal(text)

    assert type(problem) is BadJSON
    assert "is no JSON" in problem.reason


INFINITE = [
    "1e999",
    "-1E+999",
    "1.5e0400",
    "9" * 309 + ".0",
    "9" * 250 + "e99",
    "9" * 210 + "e+99",
    "0.1e1000",
]


@pytest.mark.threat("S48")
@pytest.mark.parametrize("number", INFINITE)
@pytest.mark.parametrize("others", [0, 1000])
def test_a_number_that_becomes_infinite_is_refused(number, others):
    text = "[" + "0.5," * others + number + "]"

    assert refusal(text).reason == "number too large"


@pytest.mark.parametrize("others", [0, 1000])
def test_large_and_small_numbers_are_no_infinity(others):
    numbers = ["1e308", "-1.7E+308", "1e-999", "1" * 309, "0e9999", "0." + "1" * 400, "12.5e-0400"]
    text = "[" + "0.5," * others + ",".join(numbers) + ', "1e999"]'

    assert load_json(text, 32) == json.loads(text)


@pytest.mark.threat("S47")
def test_a_number_of_very_many_digits_is_refused():
    assert refusal("9" * 100_000).reason == "number with too many digits"
    assert load_json("9" * 4000, 32) == int("9" * 4000)


HALVES = [
    r'"\ud800"',
    r'"\uDFFF"',
    r'{"\ud83d": 1}',
    r'"\ud83d\ud83d\ude00"',
    r'"\ude00\ud83d"',
    r'"\ud83d\u0041"',
    r'"\ud83d \ude00"',
    r'"\\\ud83d\\ude00"',
    r'"\ud83d\\ude00"',
    r'"\ud83d\\\ude00"',
]


@pytest.mark.threat("S48")
@pytest.mark.parametrize("text", HALVES)
def test_half_of_a_surrogate_pair_is_refused(text):
    assert refusal(text).reason == "half of a surrogate pair"


@pytest.mark.parametrize(
    "text", [r'"\ud83d\ude00"', r'"\uD83D\uDE00\ud7ff"', r'"\\ud800"', r'"\\\\ud800"', r'"\uABCD"']
)
def test_whole_pairs_and_what_looks_like_a_half_are_read(text):
    assert load_json(text, 32) == json.loads(text)


@pytest.mark.threat("S47")
@pytest.mark.parametrize("max_depth", [0, 1, 2, 32, 500])
def test_json_as_deep_as_allowed_is_read_and_no_deeper(max_depth):
    assert load_json(nested(max_depth), max_depth) == json.loads(nested(max_depth))

    assert refusal(nested(max_depth + 1), max_depth).reason == "nested too deeply"
    assert refusal(nested(max_depth + 1, '"a"'), max_depth).reason == "nested too deeply"


@pytest.mark.threat("S47")
@pytest.mark.parametrize("bomb", ["[" * 100_000, '{"a":' * 100_000, nested(100_000), nested(100_000, '"')])
def test_a_depth_bomb_is_refused(bomb):
    assert refusal(bomb).reason == "nested too deeply"


@pytest.mark.threat("S47")
@pytest.mark.parametrize("bomb", ["[" * 5000, nested(3000), '["", ' + nested(3000), '{"a":' * 3000])
def test_a_depth_bomb_loses_no_callback_of_the_collectors(bomb):
    assert lost_at_the_end_of_the_stack(lambda: refusal(bomb)) == 0
    assert gc.isenabled()


@pytest.mark.threat("S47")
def test_a_depth_limit_beyond_what_python_can_read_is_still_an_answer():
    deep = sys.getrecursionlimit() * 300

    assert refusal(nested(deep), deep + 1).reason == "nested too deeply"


@pytest.mark.threat("S47")
@pytest.mark.parametrize(
    "text",
    [
        '["]",["]",["]",["]",["]","["],"["],"["],"["],"["]',
        '[["\\"]",["\\"]",["]\\\\",["]"]]]]]',
        '{"}":{"}":{"}":{"}":{"}":"{"},"{":1},"{":1},"{":1},"{":1}',
    ],
)
def test_brackets_inside_strings_hide_no_depth(text):
    assert depth_of(text) == 5
    json.loads(text)

    assert refusal(text, DEPTH).reason == "nested too deeply"
    assert load_json(text, 5) == json.loads(text)


@pytest.mark.parametrize(
    "text", ['"[[[[[[[["', '["{{{{{{", "[[[[\\"[[[["]', '{"[[[[[[[[": "]]]]]]]]"}', '["\\\\", "[[[[[[[["]']
)
def test_brackets_inside_strings_are_no_depth(text):
    assert load_json(text, 1) == json.loads(text)


texts = st.text(alphabet='ab[]{}"\\ud8,:é😀 .1e+', max_size=12)
floats = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e300, 1.5, -1e-300])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)
documents = st.builds(
    lambda value, ascii, many: json.dumps([value] + [0.5] * many if many else value, ensure_ascii=ascii),
    values,
    st.booleans(),
    st.sampled_from([0, 120]),
)


@given(documents)
def test_every_document_is_judged_as_the_obvious_way_does(text):
    assert received(text, DEPTH) == expected(text, DEPTH)


pieces = st.sampled_from(
    ["[", "]", "{", "}", '"', "\\", "\\\\", '\\"', ",", ":", "1", "1.5", "e", "E+", "999", "-", "NaN"]
    + ['""', '"a":', '"["', '"]"', '"\\""', "\\ud83d", "\\ude00", "[[[", "]]]", '["]",', ',"["]', "null", " "]
)


@given(st.lists(pieces, max_size=14).map("".join))
@example('[1,"\\ud83d')
def test_anything_else_is_judged_as_the_obvious_way_does(text):
    wanted = expected(text, DEPTH)
    got = received(text, DEPTH)

    # The first thing that is wrong is the one that is named, so a NaN may come before an error.
    assert got == wanted or (wanted is NotJSON and got is BadJSON and re.search("NaN|999", text))


@given(
    st.lists(st.sampled_from(["\\ud83d", "\\ude00", "\\\\", "\\u0041", "x", '\\"', "\\uD7FF"]), max_size=8)
)
def test_surrogates_are_judged_as_the_obvious_way_does(parts):
    text = '"' + "".join(parts) + '"'

    assert received(text, DEPTH) == expected(text, DEPTH)
