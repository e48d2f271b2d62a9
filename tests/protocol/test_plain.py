import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol import plain
from realtime_wall.protocol.plain import (
    RESERVED,
    Ack,
    BadCommand,
    EventCommand,
    Heartbeat,
    MessageCommand,
    Subscribe,
    Unsubscribe,
    parse,
)

DEPTH = 32


def command(**fields):
    return parse(json.dumps(fields), DEPTH)


def code_of(**fields):
    bad = command(**fields)
    assert isinstance(bad, BadCommand), bad
    assert bad.message
    return bad.code


# What clients say


def test_an_object_with_a_type_is_an_event():
    assert command(type="listen", message="#python") == EventCommand("listen", "#python", None)
    assert command(type="stop") == EventCommand("stop", None, None)
    assert command(type="move", message=[1, {"x": None}], id=7) == EventCommand("move", [1, {"x": None}], 7)


def test_the_type_message_is_a_message():
    assert command(type="message", message={"a": 1}) == MessageCommand({"a": 1})
    assert command(type="message") == MessageCommand(None)


@pytest.mark.parametrize("text", ["", "hello", '["a"]', '"a"', "12", "null", "NaN", "[" * 100_000, " \n[{}]"])
def test_text_that_is_no_object_is_a_message_as_it_is(text):
    assert parse(text, DEPTH) == MessageCommand(text)


@pytest.mark.parametrize("text", ["{", "{hello}", '{"type": "a",}', "{{ title }}", '{"type": "a"} and more'])
def test_text_that_only_begins_like_an_object_is_a_message(text):
    assert parse(text, DEPTH) == MessageCommand(text)


@pytest.mark.parametrize("space", ["", " ", "\n\t\r "])
def test_space_before_an_object_does_not_matter(space):
    assert parse(space + '{"type":"say"}', DEPTH) == EventCommand("say", None, None)


def test_a_channel_is_subscribed_and_unsubscribed():
    assert command(type="subscribe", channel="a") == Subscribe("a", None, None)
    assert command(type="subscribe", channel="a", since="e:1", id="x") == Subscribe("a", "e:1", "x")
    assert command(type="subscribe", channel="a", since=None) == Subscribe("a", None, None)
    assert command(type="subscribe", channel="a", since="x" * 64).since == "x" * 64
    assert command(type="unsubscribe", channel="a", id=2) == Unsubscribe("a", 2)


def test_the_answer_to_a_call_is_an_ack():
    assert command(type="ack", id=3, message=[1]) == Ack(3, [1])
    assert command(type="ack", id=0) == Ack(0, None)


def test_a_client_may_ask_whether_it_is_heard():
    assert command(type="heartbeat", id=4) == Heartbeat(4)


def test_a_heartbeat_that_says_something_is_an_event_of_the_project():
    assert command(type="heartbeat", message=1, id=4) == EventCommand("heartbeat", 1, 4)
    assert command(type="heartbeat") == EventCommand("heartbeat", None, None)


def test_an_ack_has_to_say_what_it_answers():
    assert code_of(type="ack", message=1) == "bad_id"


@pytest.mark.threat("S47", "S48")
@pytest.mark.parametrize(
    "text", ['{"a":NaN}', '{"type":"a","message":1e999}', '{"a":"\\ud800"}', '{"a":' * 40 + "1" + "}" * 40]
)
def test_an_object_that_other_readers_could_not_read_is_refused(text):
    bad = parse(text, DEPTH)

    assert isinstance(bad, BadCommand)
    assert bad.code == "bad_json"


@pytest.mark.threat("S47")
def test_a_depth_bomb_is_refused():
    assert parse('{"a":' * 100_000, DEPTH) == BadCommand("bad_json", "nested too deeply", None)


@pytest.mark.parametrize("kind", [None, 1, True, "", ["a"], {"a": 1}, "x" * 129, "new\nline", "\x1b[31m"])
def test_a_type_that_is_no_name_is_refused(kind):
    assert code_of(type=kind, message=1) == "bad_type"


def test_a_missing_type_is_refused_and_the_answer_has_the_id():
    bad = command(message=1, id="q")

    assert (bad.code, bad.id) == ("bad_type", "q")


@pytest.mark.parametrize("kind", ["welcome", "gap", "connect", "disconnect", "subscribed", "newListener"])
def test_names_that_mean_something_else_are_no_events(kind):
    assert code_of(type=kind) == "bad_type"


def test_a_type_of_128_characters_is_taken():
    assert command(type="x" * 128).name == "x" * 128


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize("channel", [None, 1, ["a"]])
def test_a_channel_that_is_no_text_is_refused(kind, channel):
    bad = command(type=kind, channel=channel, id=5)

    assert (bad.code, bad.id) == ("bad_channel", 5)


@pytest.mark.parametrize("since", [1, True, ["e:1"], "x" * 65])
def test_a_cursor_that_is_no_short_text_is_refused(since):
    bad = command(type="subscribe", channel="a", since=since, id=5)

    assert (bad.code, bad.id) == ("bad_since", 5)


@pytest.mark.parametrize("kind", ["say", "message", "subscribe", "unsubscribe", "ack"])
@pytest.mark.parametrize("id", [True, False, 1.5, [], {}, "x" * 129, 2**63, -(2**63) - 1])
def test_an_id_that_is_no_short_text_or_number_is_refused(kind, id):
    bad = command(type=kind, channel="a", id=id)

    assert (bad.code, bad.id) == ("bad_id", None)


@pytest.mark.parametrize("id", [0, -1, 2**63 - 1, -(2**63), "", "x" * 128, None])
def test_an_id_is_given_back_as_it_came(id):
    assert command(type="say", id=id).id == id


@given(
    st.text()
    | st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.dictionaries(st.sampled_from(["type", "id", "channel", "since", "message"]), inner),
    ).map(json.dumps)
)
def test_whatever_comes_is_some_command(text):
    assert isinstance(parse(text, DEPTH), plain.Command)


# What we say


def said(text):
    assert ": " not in text.replace("a: b", "")  # compact
    return json.loads(text)


def test_a_message_is_put_together_from_its_json():
    assert said(plain.message_text("say", '{"a":[1]}')) == {"type": "say", "message": {"a": [1]}}
    assert said(plain.message_text("say", "null", "a", "e:1")) == {
        "type": "say",
        "message": None,
        "channel": "a",
        "cursor": "e:1",
    }


def test_a_call_of_ours_has_the_id_that_the_ack_will_name():
    assert said(plain.message_text("ask", "1", id=0)) == {"type": "ask", "message": 1, "id": 0}


def test_a_gap_in_what_was_broadcast_to_everyone_names_no_channel():
    assert said(plain.gap_text(None, "e:9")) == {"type": "gap", "cursor": "e:9"}


def test_an_ack_has_the_id_of_what_it_answers():
    assert said(plain.ack_text(3, "[1,2]")) == {"type": "ack", "id": 3, "message": [1, 2]}
    assert said(plain.ack_text("x", "0")) == {"type": "ack", "id": "x", "message": 0}


def test_a_subscription_is_confirmed_with_its_cursor():
    assert said(plain.subscribed_text("a", "e:1")) == {"type": "subscribed", "channel": "a", "cursor": "e:1"}
    for recovered in (True, False):
        assert said(plain.subscribed_text("a", "e:1", 0, recovered)) == {
            "type": "subscribed",
            "channel": "a",
            "cursor": "e:1",
            "id": 0,
            "recovered": recovered,
        }


def test_an_end_of_a_subscription_is_confirmed():
    assert said(plain.unsubscribed_text("a")) == {"type": "unsubscribed", "channel": "a"}
    assert said(plain.unsubscribed_text("a", 4)) == {"type": "unsubscribed", "channel": "a", "id": 4}


def test_a_gap_says_from_where_on_the_client_hears_everything():
    assert said(plain.gap_text("a", "e:9")) == {"type": "gap", "channel": "a", "cursor": "e:9"}
    assert said(plain.gap_text("a", "e:9", "i")) == {
        "type": "gap",
        "channel": "a",
        "cursor": "e:9",
        "id": "i",
    }


def test_an_error_has_a_code_and_a_sentence():
    assert said(plain.error_text("bad_id", "a: b")) == {"type": "error", "code": "bad_id", "message": "a: b"}
    assert said(plain.error_text("bad_id", "no", 1))["id"] == 1


def test_the_welcome_has_session_ping_and_cursor():
    assert said(plain.welcome_text("s1", "e:0", 25)) == {
        "type": "welcome",
        "message": {"session": "s1", "ping": 25},
        "cursor": "e:0",
    }


def test_an_address_names_channels_and_where_to_begin():
    assert plain.commands_in_address(["a@e:1", "b@c@", "d", "@e:1"]) == (
        plain.Subscribe("a", "e:1", "a"),
        plain.Subscribe("b@c", None, "b@c"),
        plain.BadCommand("bad_since", "on has to be CHANNEL@CURSOR, or CHANNEL@"),
        plain.Subscribe("", "e:1", ""),
    )
    assert [one.code for one in plain.commands_in_address(["a" * 129 + "@", "a@" + "9" * 65])] == [
        "bad_channel",
        "bad_since",
    ]
    assert [one.code for one in plain.commands_in_address(["a@"] * 101)] == ["bad_batch"]


@given(st.text(), st.text())
def test_no_name_can_write_fields_of_its_own(one, other):
    assert json.loads(plain.message_text(one, "1", other, other)) == {
        "type": one,
        "message": 1,
        "channel": other,
        "cursor": other,
    }
    assert json.loads(plain.error_text(one, other, one)) == {
        "type": "error",
        "code": one,
        "message": other,
        "id": one,
    }
    for write in (plain.subscribed_text, plain.gap_text):
        fields = json.loads(write(one, other, one))
        assert (fields["channel"], fields["cursor"], fields["id"]) == (one, other, one)
    assert json.loads(plain.unsubscribed_text(one, other))["channel"] == one
    assert json.loads(plain.ack_text(one, "1"))["id"] == one
    assert json.loads(plain.welcome_text(one, other, 25))["message"]["session"] == one


def test_every_name_of_ours_is_reserved():
    ours = [
        plain.ack_text(1, "1"),
        plain.subscribed_text("a", "e:1"),
        plain.unsubscribed_text("a"),
        plain.gap_text("a", "e:1"),
        plain.error_text("a", "b"),
        plain.welcome_text("a", "e:1", 25),
    ]
    socket_io = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

    assert {json.loads(text)["type"] for text in ours} | socket_io | {
        "message",
        "subscribe",
        "unsubscribe",
        "retracted",
        "realtime_wall:gap",
        "realtime_wall:offset",
    } == RESERVED
