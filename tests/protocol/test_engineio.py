import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.engineio import (
    MAX_PACKETS,
    BadPacket,
    EnginePacket,
    EnginePacketType,
    ErrorCode,
    decode_payload,
    decode_text,
    encode_base64,
    encode_payload,
    encode_text,
    error_json,
    open_text,
)

# What no JSON has as it is.
separator_free = st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"]))


def refusal(act, *args):
    with pytest.raises(BadPacket) as refused:
        act(*args)
    assert str(refused.value) == refused.value.reason
    return refused.value.reason


# One packet


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ('0{"sid":"a"}', EnginePacket(EnginePacketType.OPEN, '{"sid":"a"}')),
        ("1", EnginePacket(EnginePacketType.CLOSE, "")),
        ("2", EnginePacket(EnginePacketType.PING, "")),
        ("2probe", EnginePacket(EnginePacketType.PING, "probe")),
        ("3", EnginePacket(EnginePacketType.PONG, "")),
        ("3probe", EnginePacket(EnginePacketType.PONG, "probe")),
        ("4", EnginePacket(EnginePacketType.MESSAGE, "")),
        ("4hello", EnginePacket(EnginePacketType.MESSAGE, "hello")),
        ("4€ \x1e 4", EnginePacket(EnginePacketType.MESSAGE, "€ \x1e 4")),
        ("5", EnginePacket(EnginePacketType.UPGRADE, "")),
        ("6", EnginePacket(EnginePacketType.NOOP, "")),
        ("bAQIDBA==", EnginePacket(EnginePacketType.MESSAGE, b"\x01\x02\x03\x04")),
        ("b", EnginePacket(EnginePacketType.MESSAGE, b"")),
    ],
)
def test_text_is_a_packet(text, packet):
    assert decode_text(text) == packet


@pytest.mark.threat("S17")
@pytest.mark.parametrize("text", ["", "7", "9", "a", "abc", " 4", "-1", "B", "٤", "\x00", "constructor"])
def test_text_of_no_known_type_is_refused(text):
    assert refusal(decode_text, text) == "unknown Engine.IO packet type"


@pytest.mark.parametrize("text", ["bAQ", "bAQI", "b=", "bAQIDBA==AQ", "bAQ-_", "bAQ ID", "b€", "b\ud800"])
def test_binary_data_that_is_no_strict_base64_is_refused(text):
    assert "base64" in refusal(decode_text, text)


@given(st.sampled_from(EnginePacketType), st.text())
def test_a_packet_goes_there_and_back(type, data):
    assert decode_text(encode_text(type, data)) == EnginePacket(type, data)


@given(st.binary())
def test_bytes_go_there_and_back_as_text(data):
    assert decode_text(encode_base64(data)) == EnginePacket(EnginePacketType.MESSAGE, data)


# Several packets in one body


@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize(
    ("body", "packets"),
    [
        ("4hello", [EnginePacket(EnginePacketType.MESSAGE, "hello")]),
        (
            "4hello\x1e2\x1e4world",
            [
                EnginePacket(EnginePacketType.MESSAGE, "hello"),
                EnginePacket(EnginePacketType.PING),
                EnginePacket(EnginePacketType.MESSAGE, "world"),
            ],
        ),
        (
            "4€\x1ebAQIDBA==",
            [
                EnginePacket(EnginePacketType.MESSAGE, "€"),
                EnginePacket(EnginePacketType.MESSAGE, b"\x01\x02\x03\x04"),
            ],
        ),
    ],
)
def test_a_body_holds_packets_in_order(kind, body, packets):
    assert decode_payload(kind(body)) == packets


@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize("body", ["", "abc", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "4a\x1ex", "4a\x1ebA"])
def test_a_body_with_one_bad_packet_is_refused_whole(kind, body):
    refusal(decode_payload, kind(body))


@pytest.mark.threat("S19")
@pytest.mark.parametrize("kind", [str, str.encode])
def test_a_body_has_only_so_many_packets(kind):
    assert len(decode_payload(kind("\x1e".join(["4"] * MAX_PACKETS)))) == MAX_PACKETS
    assert refusal(decode_payload, kind("\x1e".join(["4"] * (MAX_PACKETS + 1)))) == (
        f"more than {MAX_PACKETS} packets in one request"
    )
    assert len(decode_payload(kind("4\x1e4"), 2)) == 2
    assert "more than 1 " in refusal(decode_payload, kind("4\x1e4"), 1)


@pytest.mark.threat("S19")
@pytest.mark.parametrize("kind", [str, str.encode])
def test_packets_are_counted_before_they_are_looked_at(kind):
    assert "packets" in refusal(decode_payload, kind("x" + "\x1e" * 100_000))


@pytest.mark.threat("S19")
def test_others_have_their_turns_between_the_packets_of_a_body():
    order = []

    def in_turns(parts):
        for part in parts:
            order.append(part)
            yield part

    assert len(decode_payload("4a\x1e4b", in_turns=in_turns)) == 2
    assert order == ["4a", "4b"]


@pytest.mark.parametrize("body", [b"4\xff", b"4\xed\xa0\x80", b"4\xe2\x82"])
def test_a_body_that_is_no_utf_8_is_refused(body):
    assert "UTF-8" in refusal(decode_payload, body)


@given(st.lists(st.tuples(st.sampled_from(EnginePacketType), separator_free) | st.binary(), min_size=1))
def test_a_body_goes_there_and_back(contents):
    packets = [part if isinstance(part, bytes) else encode_text(*part) for part in contents]

    body = encode_payload(packets)

    assert decode_payload(body.encode(), max_packets=len(packets)) == [
        EnginePacket(EnginePacketType.MESSAGE, part) if isinstance(part, bytes) else EnginePacket(*part)
        for part in contents
    ]


def test_a_body_is_written_as_the_specification_shows_it():
    assert encode_payload(["4hello", b"\x01\x02\x03\x04", "2"]) == "4hello\x1ebAQIDBA==\x1e2"


@given(st.text(st.sampled_from("0123456b\x1eA=é\ud800 ")) | st.binary())
def test_whatever_comes_is_packets_or_a_bad_packet(body):
    try:
        packets = decode_payload(body)
    except BadPacket:
        return
    assert 0 < len(packets) <= MAX_PACKETS


def test_base64_of_any_alphabet_but_the_usual_is_refused():
    data = b"\xfb\xef\xff"
    assert decode_text("b" + b64encode(data).decode()).data == data
    assert "base64" in refusal(decode_text, "b" + b64encode(data, b"-_").decode())


# The handshake and refusals


def test_a_session_opens_with_its_times_in_milliseconds():
    text = open_text("s1", ["websocket"], 25.0, 0.2, 1_000_000)

    assert decode_text(text).type is EnginePacketType.OPEN
    assert text[1:] == (
        '{"sid":"s1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":200,"maxPayload":1000000}'
    )


def test_a_time_that_is_no_exact_float_is_rounded():
    assert json.loads(open_text("s1", (), 1.001, 20, 1)[1:])["pingInterval"] == 1001


@pytest.mark.parametrize(
    ("code", "number", "message"),
    [
        (ErrorCode.UNKNOWN_TRANSPORT, 0, "Transport unknown"),
        (ErrorCode.UNKNOWN_SID, 1, "Session ID unknown"),
        (ErrorCode.BAD_HANDSHAKE_METHOD, 2, "Bad handshake method"),
        (ErrorCode.BAD_REQUEST, 3, "Bad request"),
        (ErrorCode.FORBIDDEN, 4, "Forbidden"),
        (ErrorCode.UNSUPPORTED_VERSION, 5, "Unsupported protocol version"),
    ],
)
def test_a_refusal_has_the_number_and_words_that_clients_know(code, number, message):
    assert error_json(code) == f'{{"code":{number},"message":"{message}"}}'


def test_a_refusal_may_say_it_in_better_words():
    assert json.loads(error_json(ErrorCode.FORBIDDEN, 'no "guests"')) == {
        "code": 4,
        "message": 'no "guests"',
    }
