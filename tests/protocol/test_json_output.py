import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy

from realtime_wall.errors import InvalidMessage
from realtime_wall.protocol.json_output import encode_json


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (date(2026, 5, 17), "2026-05-17"),
        (datetime(2026, 5, 17, 8, 30, tzinfo=UTC), "2026-05-17T08:30:00Z"),
        (timedelta(hours=1), "P0DT01H00M00S"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (gettext_lazy("Save"), "Save"),
        ({"list": [1, 2.5, True, None], "lazy": lazy(lambda: "late", str)()}, None),
    ],
)
def test_what_django_writes_is_written_as_django_writes_it(value, read):
    assert json.loads(encode_json(value)) == (
        read if read is not None else {"list": [1, 2.5, True, None], "lazy": "late"}
    )


def test_no_character_more_than_needed_is_sent():
    assert encode_json({"wörter": ["ä", "😀"], "n": 1}) == '{"wörter":["ä","😀"],"n":1}'


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), [1, {"deep": float("nan")}], {float("nan"): 1}],
    ids=repr,
)
def test_numbers_that_are_no_json_are_refused(value):
    with pytest.raises(InvalidMessage, match="cannot be sent as JSON"):
        encode_json(value)


@pytest.mark.parametrize("value", ["\ud83d", "\ude00 and more", {"\udfff": 1}, ["\ud83d\ude00"]], ids=ascii)
def test_half_of_a_surrogate_pair_is_refused(value):
    with pytest.raises(InvalidMessage, match="half of a surrogate pair, '.ud"):
        encode_json(value)


def test_the_whole_character_is_fine():
    assert json.loads(encode_json("😀")) == "😀"


def circular():
    value = []
    value.append(value)
    return value


def bottomless():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", circular(), {(1, 2): 3}])
def test_what_json_has_no_word_for_is_refused(value):
    with pytest.raises(InvalidMessage, match="cannot be sent as JSON"):
        encode_json(value)


@pytest.mark.parametrize(
    "value", [bottomless(), circular(), {"deep": circular()}], ids=["deep", "list", "dict"]
)
def test_nesting_without_end_is_refused(value):
    with pytest.raises(InvalidMessage, match="cannot be sent as JSON: nested too deeply, or inside itself"):
        encode_json(value)


def test_what_is_in_a_value_twice_is_no_nesting():
    inner = [1]

    assert encode_json([inner, inner]) == "[[1],[1]]"


@pytest.mark.parametrize(
    "value", [6, "ä\n", 1.5, -0.0, True, None, [], {}, {1: 2}, {"a": [1, {"b": "c"}], "d": ()}], ids=repr
)
def test_it_is_what_djangos_encoder_writes(value):
    assert encode_json(value) == DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode(value)


def test_the_refusal_is_a_value_error_and_keeps_its_cause():
    with pytest.raises(ValueError) as refusal:
        encode_json(object())

    assert isinstance(refusal.value.__cause__, TypeError)
