import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.brokers.command_json import from_json, to_json
from realtime_wall.brokers.commands import (
    Ask,
    Delete,
    Disconnect,
    DisconnectUser,
    GetPosition,
    Publish,
    Retract,
    SendTo,
)
from realtime_wall.brokers.questions import (
    Follow,
    GetChannelPage,
    GetHistory,
    GetMetrics,
    GetPresence,
    GetServers,
    GetSocketPage,
    GetSockets,
    GetStatistics,
)
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.message import Binary
from realtime_wall.channels.names import EVERYONE, PRESENCE

PUBLISH = {"verb": "Publish", "channel": "news", "data_json": "1"}
ASK = {"verb": "Ask", "channel": "news", "event": "where", "data_json": "1"}
PLACE = '{"_placeholder":true,"num":0}'
SEND = {"verb": "SendTo", "session_id": "abc", "data_json": "1"}


@pytest.mark.parametrize(
    "command",
    [
        Publish(channel="news", data_json='{"a":1}'),
        Publish(channel="news", data_json="null", arity=0, event="tick"),
        Publish(channel="news", data_json="[1,2]", arity=2, event="tick"),
        Publish(
            channel=EVERYONE,
            data_json='"\\u00e9 \\ud83d\\ude00"',
            event="tick",
            event_id="7",
            exclude="abc",
            wanted=True,
            counted=False,
        ),
        SendTo(session_id="abc", data_json="[1,2]", event="tick"),
        SendTo(session_id="abc", data_json="null"),
        Publish(channel="news", data_json="1", idempotency_key="k1"),
        Retract(channel="news", message_ref="epoch:7"),
        Delete(channel="news", notice="Good night"),
        GetPosition(),
        Publish(channel="news", data_json='"b25l"', volatile=True, binary=Binary(PLACE, (b"one",))),
        SendTo(session_id="abc", data_json='"b25l"', binary=Binary(PLACE, (b"one",))),
        Ask(channel=EVERYONE, event="where", data_json="[1,2]", arity=2, timeout=0.5),
        Ask(channel="news", event="where", data_json='"b25l"', binary=Binary(PLACE, (b"one",))),
        Follow(pattern="a*", last=10),
        GetStatistics(selection="ALL"),
        DisconnectUser(user_id="7", code=4000, reason="bye"),
        Disconnect(session_id="abc", code=3503, reason="bye"),
        GetServers(),
        GetMetrics(),
        GetSockets(),
        GetSockets(channel="news", after="abc"),
        GetPresence(channel="news"),
        GetSocketPage(after="abc", limit=5, channel="news", user_id="7"),
        GetChannelPage(after="abc", limit=5, prefix="a"),
        GetHistory(channel="news", last=3),
    ],
)
def test_a_command_goes_there_and_back(command):
    assert from_json(json.loads(json.dumps(to_json(command)))) == command


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "Publish",
        [PUBLISH],
        {},
        {"verb": None},
        {"verb": "publish"},
        {"verb": "__init__"},
        {"verb": ["Publish"]},
        {**PUBLISH, "verb": "SendTo"},
        {**PUBLISH, "more": "1"},
        {**PUBLISH, "channel": None},
        {**PUBLISH, "channel": True},
        {**PUBLISH, "channel": 7},
        {**PUBLISH, "channel": ""},
        {**PUBLISH, "channel": "a/b"},
        {**PUBLISH, "channel": "a*"},
        {**PUBLISH, "channel": "a\n"},
        {**PUBLISH, "channel": "a" * 129},
        {**PUBLISH, "data_json": None},
        {**PUBLISH, "data_json": 1},
        {**PUBLISH, "data_json": {"a": 1}},
        {**PUBLISH, "data_json": ""},
        {**PUBLISH, "data_json": "{"},
        {**PUBLISH, "data_json": "1 2"},
        {**PUBLISH, "data_json": "NaN"},
        {**PUBLISH, "data_json": "[-Infinity]"},
        {**PUBLISH, "data_json": "1e999"},
        {**PUBLISH, "data_json": '"\\ud800"'},
        {**PUBLISH, "data_json": "[" * 5000 + "]" * 5000},
        {**PUBLISH, "arity": "1"},
        {**PUBLISH, "arity": None},
        {**PUBLISH, "arity": -1},
        {**PUBLISH, "arity": 0},
        {**PUBLISH, "arity": 2},
        {**PUBLISH, "arity": 3, "data_json": "[1,2]"},
        {**PUBLISH, "arity": 2, "data_json": '"ab"'},
        {**PUBLISH, "event": 1},
        {**PUBLISH, "event": ""},
        {**PUBLISH, "event": "disconnect"},
        {**PUBLISH, "event_id": 1},
        {**PUBLISH, "idempotency_key": ""},
        {"verb": "Delete", "channel": "a/b"},
        {"verb": "Follow"},
        {"verb": "Follow", "pattern": 1},
        {"verb": "Follow", "pattern": "a", "last": 1001},
        {"verb": "Follow", "pattern": "a", "last": -1},
        {"verb": "GetStatistics", "selection": None},
        {"verb": "Delete", "channel": "news", "notice": 1},
        {**PUBLISH, "event_id": "a\nb"},
        {"verb": "Retract", "channel": "news"},
        {"verb": "Retract", "channel": "*", "message_ref": "a"},
        {"verb": "Retract", "channel": "news", "message_ref": ""},
        {"verb": "Retract", "channel": "news", "message_ref": 1},
        {**PUBLISH, "exclude": []},
        {**PUBLISH, "wanted": None},
        {**PUBLISH, "wanted": "yes"},
        {**PUBLISH, "counted": 1},
        {"verb": "Publish", "channel": "news"},
        {**SEND, "session_id": None},
        {**SEND, "session_id": 1},
        {**SEND, "data_json": "{"},
        {**SEND, "event": "connect"},
        {**SEND, "channel": "news"},
        {"verb": "GetPosition", "channel": "news"},
        {**PUBLISH, "volatile": 1},
        {**PUBLISH, "binary": {}},
        {**PUBLISH, "binary": ""},
        {**PUBLISH, "binary": "[]"},
        {**PUBLISH, "binary": json.dumps([PLACE])},
        {**PUBLISH, "binary": json.dumps([PLACE, "b25l", "b25l"])},
        {**PUBLISH, "binary": json.dumps([PLACE, "no base64"])},
        {**PUBLISH, "binary": json.dumps([PLACE, 1])},
        {**PUBLISH, "binary": json.dumps([1, "b25l"])},
        {**PUBLISH, "binary": json.dumps({"a": 1})},
        {**ASK, "event": "connect"},
        {**ASK, "event": None},
        {**ASK, "channel": "a/b"},
        {**ASK, "timeout": 0.0},
        {**ASK, "timeout": -1.0},
        {**ASK, "timeout": 1e9},
        {**ASK, "timeout": "1"},
    ],
)
def test_what_is_no_command_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        from_json(value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from([*to_json(Publish(channel="a", data_json="1")), "session_id", "timeout"])
VALUES = ANYTHING | st.sampled_from(["Publish", "SendTo", "GetPosition", "Ask", "1", "news", "tick"])


@pytest.mark.threat("S58")
@given(ANYTHING | st.dictionaries(FIELDS, VALUES))
def test_anything_is_a_command_or_a_value_error(value):
    try:
        command = from_json(value)
    except ValueError:
        return
    assert isinstance(command, (Publish, SendTo, Ask, GetPosition))


# Receipts


def test_a_receipt_is_true_when_somebody_was_reached():
    assert Receipt(processes=1, sockets=1)
    assert not Receipt(processes=1, position="e:1")


def test_receipts_of_several_servers_add_up():
    total = Receipt(1, 10, 3, 1, "a:1") + Receipt(1, 5, 2, 4, "b:7")

    assert total == Receipt(2, 15, 5, 5, "a:1")
    assert (Receipt() + Receipt(1, 1, position="b:7")).position == "b:7"


@pytest.mark.parametrize(
    ("receipt", "text"),
    [
        (
            Receipt(1, 1, 0, 0, "e:1"),
            "reached 1 socket in 1 process, 0 queued, 0 dropped, position e:1",
        ),
        (
            Receipt(2, 30, 4, 5, "e:7"),
            "reached 30 sockets in 2 processes, 4 queued, 5 dropped, position e:7",
        ),
    ],
)
def test_a_receipt_reads_well(receipt, text):
    assert str(receipt) == text


@pytest.mark.parametrize(
    "value",
    [
        {"verb": "Disconnect", "session_id": "abc", "code": 1005, "reason": ""},
        {"verb": "Disconnect", "session_id": "abc", "code": True, "reason": ""},
        {"verb": "Disconnect", "session_id": "abc", "code": 3503, "reason": "x" * 124},
        {"verb": "Disconnect", "session_id": "abc"},
        {"verb": "DisconnectUser", "user_id": "7", "code": 1},
        {"verb": "GetSockets", "channel": "a/b"},
        {"verb": "GetSockets", "channel": PRESENCE},
        {"verb": "GetSocketPage", "limit": 0},
        {"verb": "GetSocketPage", "channel": "a/b"},
        {"verb": "GetChannelPage", "limit": 100_000},
        {"verb": "GetHistory", "channel": PRESENCE},
        {"verb": "GetPresence"},
        {"verb": "GetPresence", "channel": EVERYONE},
    ],
)
def test_a_question_or_an_order_about_clients_that_makes_no_sense_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(value)


@pytest.mark.parametrize(
    "value",
    [
        {**PUBLISH, "channel": PRESENCE, "volatile": True},
        {**ASK, "channel": PRESENCE},
        {"verb": "Delete", "channel": PRESENCE},
        {"verb": "Retract", "channel": PRESENCE, "message_ref": "a:1"},
    ],
)
def test_only_servers_say_who_is_present(value):
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(value)
    if value["verb"] == "Publish":
        assert from_json(value, of_server=True).channel == PRESENCE
