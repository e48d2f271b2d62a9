"""A reader may want some of a channel's messages, or each as the difference from the one before."""

import json
import random

import pytest
from django.test import override_settings

from realtime_wall import publish, retract
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.protocol import merge_patch
from realtime_wall.protocol.websocket.deflate import PLAIN
from realtime_wall.testing import ConnectRefused, Realtime
from realtime_wall.transports.websocket import plain_codec
from tests.fakes import no_receivers
from tests.transports.websocket.client import Visitor

CHANNELS = {"state": {"DELTA": True, "TAGS": ["team"]}, "posts": {"TAGS": ["team", "lon"]}}


@pytest.fixture
def realtime():
    with override_settings(REALTIME_WALL={"CHANNELS": CHANNELS}), no_receivers(), Realtime() as realtime:
        yield realtime


@pytest.fixture
def client(realtime):
    return Visitor(realtime.node).begin()


def a_message(number):
    return Message("room", str(number), Position("e", number), number, 0.0)


def test_what_a_crowd_has_missed_is_encoded_once(monkeypatch):
    written = []
    text = plain_codec._message_text
    monkeypatch.setattr(plain_codec, "_message_text", lambda one: written.append(one) or text(one))
    several = [[a_message(number), a_message(number + 1)] for number in range(0, 20, 2)]

    for messages in several:
        first, *others = {plain_codec.encode_missed([*messages]) for _ in range(3)}
        assert first == plain_codec.frames_of(PLAIN)(messages) and others == []

    assert len(written) == 2 * sum(map(len, several))  # once for the crowd, once here
    assert len(plain_codec._missed) <= plain_codec.MISSED


def told(realtime, client):
    """What it was sent since it was last asked."""
    realtime.settle()
    texts = client.wire.texts()
    new, client.seen = texts[getattr(client, "seen", 0) :], len(texts)
    return new


def a_state(changes, seed=1):
    """2 KB of JSON, as a dashboard has it, after so many changes."""
    dice = random.Random(seed)
    rooms = {
        f"room {number}": {"people": dice.randrange(500), "talk": f"Talk {number} of the day", "full": False}
        for number in range(30)
    }
    state = {"rooms": rooms, "updated": "2026-11-29T12:00:00Z", "speaker": "Ada Lovelace"}
    for _ in range(changes):
        rooms[f"room {dice.randrange(30)}"]["people"] = dice.randrange(500)
        state["updated"] = f"2026-11-29T12:00:{dice.randrange(10, 60)}Z"
    return state


def test_differences_of_2_kb_states_take_a_fifth_at_most(realtime, client):
    client.say({"type": "subscribe", "channel": "state", "delta": True, "id": 1})
    told(realtime, client)
    publish("state", a_state(0))
    told(realtime, client)
    whole, sent, known = 0, 0, a_state(0)
    for number in range(1, 50):
        publish("state", a_state(number))
        whole += len(json.dumps(a_state(number), separators=(",", ":")))
        (message,) = told(realtime, client)
        sent += len(json.dumps(message, separators=(",", ":")))
        known = merge_patch.apply(known, message["delta"])
        assert known == a_state(number)

    assert 1900 < whole / 49 < 2300
    assert sent / whole <= 0.2, f"{sent / whole:.1%}"


def test_who_wants_differences_is_sent_the_last_message_to_begin_with(realtime, client):
    publish("state", {"a": 1, "b": "x" * 200})
    client.say({"type": "subscribe", "channel": "state", "delta": True, "id": 1})
    answer, message = told(realtime, client)[-2:]
    assert (answer["type"], message["message"]["a"]) == ("subscribed", 1)

    publish("state", {"a": 2, "b": "x" * 200})
    publish("state", {"a": 3, "b": "x" * 200})
    publish("state", "no object")
    publish("state", {"a": 4, "b": None})

    first, *rest = told(realtime, client)
    assert first["message"]["a"] == 2  # nothing was compared before
    assert (rest[0]["delta"], rest[0]["base"]) == ({"a": 3}, first["cursor"])
    assert [one.get("message") for one in rest[1:]] == ["no object", {"a": 4, "b": None}]


def test_what_not_all_have_had_is_no_base(realtime, client):
    client.say({"type": "subscribe", "channel": "state", "delta": True, "id": 1})
    told(realtime, client)
    padding = "x" * 200
    publish("state", {"a": 1, "b": padding})
    position = publish("state", {"a": 2, "b": padding})
    retract("state", position)
    publish("state", {"a": 3, "b": padding})

    messages = told(realtime, client)
    assert [one["type"] for one in messages] == ["message", "message", "retracted", "message"]
    assert "delta" in messages[1]
    assert messages[-1]["message"]["a"] == 3


def test_two_readers_share_what_is_written_and_others_hear_all_of_it(realtime):
    one, two, other = (Visitor(realtime.node).begin() for _ in range(3))
    for client in (one, two):
        client.say({"type": "subscribe", "channel": "state", "delta": True, "id": 1})
    other.say({"type": "subscribe", "channel": "state", "id": 1})
    realtime.settle()
    for number in range(3):
        publish("state", {"a": number, "b": "x" * 200})

    first, second, whole = (told(realtime, client)[-3:] for client in (one, two, other))
    assert first == second and [one.get("delta") for one in first] == [None, {"a": 1}, {"a": 2}]
    assert [one["message"]["a"] for one in whole] == [0, 1, 2]


def test_a_reader_is_sent_what_it_wants_and_so_when_it_comes_back(realtime, client):
    client.say({"type": "subscribe", "channel": "posts", "where": {"team": ["red", "blue"]}, "id": 1})
    before = told(realtime, client)[-1]["cursor"]
    for team in ("red", "green", "blue"):
        publish("posts", {"team": team})

    assert [one["message"]["team"] for one in told(realtime, client)] == ["red", "blue"]
    again = Visitor(realtime.node).begin()
    again.say({"type": "subscribe", "channel": "posts", "where": {"team": "red"}, "since": before, "id": 1})
    assert [one["message"]["team"] for one in told(realtime, again)[-1:]] == ["red"]
    again.say({"type": "unsubscribe", "channel": "posts", "id": 2})
    again.say({"type": "subscribe", "channel": "posts", "id": 3})
    told(realtime, again)
    publish("posts", {"team": "green"})
    assert [one["message"]["team"] for one in told(realtime, again)] == ["green"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"channel": "posts", "where": {"secret": 1}}, "bad_where"),
        ({"channel": "posts", "where": "red"}, "bad_where"),
        ({"channel": "other", "where": {"team": 1}}, "bad_where"),
        ({"channel": "posts", "delta": True}, "bad_delta"),
        ({"channel": "state", "delta": "yes"}, "bad_delta"),
    ],
)
def test_what_a_rule_does_not_allow_is_an_error(realtime, client, asked, code):
    client.say({"type": "subscribe", **asked, "id": 5})

    (answer,) = told(realtime, client)[-1:]
    assert (answer["type"], answer["code"], answer["id"]) == ("error", code, 5)


@pytest.mark.parametrize("transport", ["eventsource", "stream", "channel_websocket", "long_polling"])
def test_an_address_says_it_too(realtime, transport):
    client = realtime.connect(transport, channels=["posts"], query={"where": "lon:-10..20"})
    for lon in (50, -10, "x", 20):
        publish("posts", {"lon": lon})

    assert [client.receive().data["lon"] for _ in range(2)] == [-10, 20]
    client.assert_nothing_sent()
    client.drop()
    publish("posts", {"lon": 30})
    publish("posts", {"lon": 3})
    client.reconnect()
    assert client.receive().data["lon"] == 3
    client.assert_nothing_sent()
    with pytest.raises(ConnectRefused):
        realtime.connect(transport, channels=["posts"], query={"where": "secret:1"})


def test_several_commands_come_in_one_frame(realtime, client):
    commands = [
        {"type": "subscribe", "channel": "posts", "id": 1},
        {"type": "subscribe", "channel": "no/name", "id": 2},
        {"type": "heartbeat", "id": 3},
        {"commands": []},
    ]
    client.say({"commands": commands})

    answers = told(realtime, client)[-4:]
    assert sorted((one["type"], one.get("id")) for one in answers if one.get("id")) == [
        ("ack", 3),
        ("error", 2),
        ("subscribed", 1),
    ]
    assert [one["code"] for one in answers if one["type"] == "error"] == ["bad_type", "bad_channel"]


@pytest.mark.parametrize("commands", [[], {}, "x", [1], [{"type": "heartbeat", "id": 1}] * 101])
def test_a_batch_has_some_objects(realtime, client, commands):
    client.say({"commands": commands})

    assert told(realtime, client)[-1]["code"] == "bad_batch"
