import json

import pytest

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule
from realtime_wall.channels.where import BadWhere, from_json, from_texts, wants

RULE = Rule(tags=("team", "lang", "lon", "lat", *(f"f{number}" for number in range(9))))


def message(data, **fields):
    return Message("a", json.dumps(data), Position("e", 1), 1, 0.0, **fields)


@pytest.mark.parametrize(
    ("where", "texts", "data", "is_wanted"),
    [
        ({"team": "red"}, ["team:red"], {"team": "red", "x": 1}, True),
        ({"team": "red"}, ["team:red"], {"team": "blue"}, False),
        ({"team": "red"}, ["team:red"], {"x": "red"}, False),
        ({"lang": ["de", "fr"]}, ["lang:de,fr"], {"lang": "fr"}, True),
        ({"lang": ["de", "fr"], "team": 7}, ["lang:de,fr", "team:7"], {"lang": "fr", "team": 7}, True),
        ({"lang": ["de", "fr"], "team": 7}, ["lang:de,fr", "team:7"], {"lang": "fr", "team": 8}, False),
        ({"team": True}, ["team:true"], {"team": True}, True),
        ({"lon": {"from": -10, "to": 2.5}}, ["lon:-10..2.5"], {"lon": 2.5}, True),
        ({"lon": {"from": -10, "to": 2.5}}, ["lon:-10..2.5"], {"lon": 2.6}, False),
        ({"lon": {"from": -10, "to": 2.5}}, ["lon:-10..2.5"], {"lon": "0"}, False),
        ({"team": "red"}, ["team:red"], "a text", False),
        ({"team": "red"}, ["team:red"], ["team", "red"], False),
    ],
)
def test_a_message_is_wanted_whose_fields_are_as_said(where, texts, data, is_wanted):
    assert wants(from_json(where, RULE), message(data)) is is_wanted
    assert wants(from_texts(texts, RULE), message(data)) is is_wanted


def test_that_one_is_taken_back_everybody_is_told():
    assert wants(from_json({"team": "red"}, RULE), message(None, retracts=1))


@pytest.mark.parametrize(
    "where",
    [
        *(
            {},
            [],
            "team",
            {"secret": 1},
            {"team": []},
            {"team": {"from": 1}},
            {"team": {"from": "a", "to": 2}},
        ),
        *({"team": [[1]]}, {"team": list(range(33))}, {f"f{number}": 1 for number in range(9)}),
    ],
)
def test_what_makes_no_sense_or_is_not_named_by_the_rule_is_refused(where):
    with pytest.raises(BadWhere):
        from_json(where, RULE)


@pytest.mark.parametrize(
    "texts", [["secret:1"], ["nothing"], ["secret"], [f"f{number}:1" for number in range(9)]]
)
def test_so_it_is_in_an_address(texts):
    with pytest.raises(BadWhere):
        from_texts(texts, RULE)
