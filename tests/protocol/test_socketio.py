import json
from functools import reduce

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from realtime_wall.errors import InvalidMessage
from realtime_wall.protocol import plain, socketio
from realtime_wall.protocol.attachments import extract_binary
from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.protocol.socketio import RESERVED_EVENTS, Decoder, Packet, PacketType

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = list(PacketType)[:5]
PLACE = '{"_placeholder":true,"num":0}'
TWO_PLACES = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


def decode(*messages, **limits):
    """The one packet that these messages are."""
    decoder = Decoder(**limits)
    *before, last = (receive(decoder, message) for message in messages)
    assert before == [None] * len(before)
    assert last is None or not decoder.is_waiting
    return last


def receive(decoder, message):
    if isinstance(message, bytes):
        return decoder.receive_binary(message)
    event = decoder.event(message)
    try:
        packet = decoder.receive_text(message)
    except BadPacket:
        assert event is None
        raise
    assert event is None or packet == Packet(EVENT, "/", event[2], [event[0], *event[1]])
    return packet


LONG = "x" * 200


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ('2["add",[1,2]]', ("add", [[1, 2]], None)),
        ('2137["add",1.5,{"a":null}]', ("add", [1.5, {"a": None}], 137)),
        (f'20["add","{LONG}"]', ("add", [LONG], 0)),
        (r'2["a\n"]', ("a\n", [], None)),
        (f'2["add",{"[" * 31}{"]" * 31}]', ("add", [reduce(lambda inner, _: [inner], range(30), [])], None)),
    ],
)
def test_an_event_in_the_main_namespace_is_known_without_a_packet(text, event):
    assert Decoder().event(text) == event


@pytest.mark.parametrize(
    "text",
    ['2/room,["add"]', '31["add"]', "2[]", "2[7]", '2["connect"]', '2["a"]]', '2["a",NaN]', '51-["a"]', "2"]
    + [r'2["\ud800"]', f'2["a",{"[" * 32}{"]" * 32}]', f'2["a",{"9" * 5000}]', '2["a",1e999]'],
)
def test_what_is_anything_else_is_for_the_packets(text):
    assert Decoder().event(text) is None


@pytest.mark.parametrize("limits", [{"max_bytes": 8}, {"max_values": 4}])
def test_an_event_that_is_too_large_is_for_the_packets(limits):
    assert Decoder(**limits).event('2["a",1,1,1]') is None


def test_a_text_where_an_attachment_is_due_is_no_event():
    decoder = Decoder()
    decoder.receive_text(f'51-["a",{PLACE}]')
    assert decoder.event('2["a"]') is None


def refusal(*messages, **limits):
    """Why the last of these messages is refused; those before it are not."""
    decoder = Decoder(**limits)
    for message in messages[:-1]:
        receive(decoder, message)
    with pytest.raises(BadPacket) as refused:
        receive(decoder, messages[-1])
    return refused.value.reason


# Packets of text


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Packet(CONNECT, "/", None, None)),
        ('0{"token":"123"}', Packet(CONNECT, "/", None, {"token": "123"})),
        ("0/admin", Packet(CONNECT, "/admin", None, None)),
        ("0/admin,", Packet(CONNECT, "/admin", None, None)),
        ('0/admin,{"sid":"a"}', Packet(CONNECT, "/admin", None, {"sid": "a"})),
        ("1", Packet(DISCONNECT, "/", None, None)),
        ("1/admin,", Packet(DISCONNECT, "/admin", None, None)),
        ('2["foo"]', Packet(EVENT, "/", None, ["foo"])),
        ('2/,["foo"]', Packet(EVENT, "/", None, ["foo"])),
        ('2/admin,["bar",{"a":[null]}]', Packet(EVENT, "/admin", None, ["bar", {"a": [None]}])),
        ('212["foo"]', Packet(EVENT, "/", 12, ["foo"])),
        ('2/admin,0["foo"] \n', Packet(EVENT, "/admin", 0, ["foo"])),
        ("2[5,1]", Packet(EVENT, "/", None, [5, 1])),
        (f'2["foo",{PLACE}]', Packet(EVENT, "/", None, ["foo", {"_placeholder": True, "num": 0}])),
        ("3/admin,13[]", Packet(ACK, "/admin", 13, [])),
        ('30012["bar"]', Packet(ACK, "/", 12, ["bar"])),
        ('4{"message":"no"}', Packet(CONNECT_ERROR, "/", None, {"message": "no"})),
        ('4"no"', Packet(CONNECT_ERROR, "/", None, "no")),
    ],
)
def test_text_is_a_packet(text, packet):
    assert decode(text) == packet


@pytest.mark.parametrize("text", ["", "7", "9[]", "abc", " 2", "-1", '["foo"]', "٢", "\x00", "\ud800"])
def test_a_type_that_does_not_exist_is_refused(text):
    assert refusal(text) == "unknown Socket.IO packet type"


@pytest.mark.parametrize(
    "text",
    ["2", "2/admin", "212", "3", "31", "4", "51-", '2/["foo"]'],
)
def test_data_that_is_missing_is_refused(text):
    assert refusal(text).endswith("with no data")


@pytest.mark.parametrize(
    "text",
    [
        "0[]",
        '0"a"',
        "0null",
        "0false",
        "1{}",
        "1[]",
        "1null",
        "1/admin,{}",
        "2{}",
        '2"foo"',
        "2null",
        "2true",
        '2 ["foo"]',
        '21 ["foo"]',
        '2abc["foo"]',
        '2-1["foo"]',
        '2+1["foo"]',
        '2٣["foo"]',
        "3{}",
        "3null",
        "4[]",
        "4null",
        "4true",
        "51-{}",
    ],
)
def test_data_of_the_wrong_kind_is_refused(text):
    assert refusal(text).endswith("with the wrong data")


@pytest.mark.threat("S22")
@pytest.mark.parametrize("name", ["", "[]", '{"a":1}', "null", "true", "false", PLACE])
def test_an_event_has_a_name(name):
    assert refusal(f"2[{name}]") == "event without a name"
    assert refusal(f"51-[{name}]") == "event without a name"


@pytest.mark.threat("S23")
@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
def test_an_event_has_no_name_that_means_something_else(name):
    assert refusal(f'2["{name}"]') == "event with a reserved name"
    assert refusal(f'51-["{name}",{PLACE}]') == "event with a reserved name"
    assert decode(f'31["{name}"]').data == [name]


@pytest.mark.threat("S47", "S48")
@pytest.mark.parametrize(
    "text",
    [
        '2["a",NaN]',
        '2["a",1e999]',
        '2["\\ud800"]',
        '2["a"',
        '2["a"]]',
        "2[,]",
        '2["a\x1e"]',
        '0{"a":Infinity}',
    ],
)
def test_json_that_other_readers_could_not_read_is_refused(text):
    assert refusal(text).startswith("bad JSON: ")


@pytest.mark.threat("S47")
def test_data_is_only_so_deep():
    assert decode('2["a",[[]]]', max_depth=3)
    assert refusal('2["a",[[]]]', max_depth=2) == "bad JSON: nested too deeply"
    assert refusal('2["a",' + "[" * 100_000) == "bad JSON: nested too deeply"


def test_a_packet_is_only_so_large():
    text = '2["' + "x" * 95 + '"]'
    assert decode(text, max_bytes=100)
    assert "larger than 99 " in refusal(text, max_bytes=99)


# Ids and namespaces


@pytest.mark.threat("S24")
def test_an_id_has_only_so_many_digits():
    assert decode(f'2{"9" * 15}["a"]').id == 10**15 - 1
    for digits in ("9" * 16, "0" * 16, "9" * 5000):
        assert refusal(f'2{digits}["a"]') == "number with more than 15 digits"


@pytest.mark.threat("S25")
def test_a_namespace_has_only_so_many_characters():
    longest = "/" + "x" * 127
    assert decode(f"0{longest},").namespace == longest
    assert refusal(f"0{longest}x,") == "namespace longer than 128 characters"


@pytest.mark.threat("S25")
@pytest.mark.parametrize("character", ["\n", "\x00", "\x1b", "\x1e", "\u2028", "\ud800", "\u200b"])
def test_a_namespace_can_be_printed(character):
    assert refusal(f"0/a{character},") == "namespace with characters that cannot be printed"


@pytest.mark.parametrize("text", ["0/chat?token=1&b=/,", "0/chat?,", "0/chat?" + "x" * 500])
def test_a_query_is_no_part_of_the_namespace(text):
    assert decode(text).namespace == "/chat"


@pytest.mark.parametrize("namespace", ["//", "/a b", "/a/b", "/é", '/["a"]', "/__proto__", "/-1"])
def test_a_namespace_may_have_any_other_characters(namespace):
    assert decode(f'2{namespace},7["a"]') == Packet(EVENT, namespace, 7, ["a"])


# Packets with attachments


@pytest.mark.parametrize(
    ("messages", "packet"),
    [
        ((f'51-["baz",{PLACE}]', b"\x01"), Packet(EVENT, "/", None, ["baz", b"\x01"])),
        (
            (f'52-/admin,["baz",{TWO_PLACES}]', b"\x01", b""),
            Packet(EVENT, "/admin", None, ["baz", b"\x01", b""]),
        ),
        ((f'51-13["a",{{"b":[{PLACE}]}}]', b"x"), Packet(EVENT, "/", 13, ["a", {"b": [b"x"]}])),
        ((f"61-/admin,1[{PLACE}]", b"x"), Packet(ACK, "/admin", 1, [b"x"])),
        (
            ('52-["a",{"_placeholder":true,"num":1},{"num":0,"_placeholder":true}]', b"0", b"1"),
            Packet(EVENT, "/", None, ["a", b"1", b"0"]),
        ),
        (
            ('51-["a",{"_placeholder":1,"num":0},{"_placeholder":true,"num":0,"x":1}]', b"x"),
            Packet(EVENT, "/", None, ["a", {"_placeholder": 1, "num": 0}, b"x"]),
        ),
    ],
)
def test_a_packet_is_complete_with_its_attachments(messages, packet):
    assert decode(*messages) == packet


@pytest.mark.threat("S22")
def test_a_decoder_waits_for_attachments_and_says_so():
    decoder = Decoder()

    assert not decoder.is_waiting
    assert decoder.receive_text(f'52-["a",{TWO_PLACES}]') is None
    assert decoder.is_waiting
    assert decoder.receive_binary(b"1") is None
    assert decoder.is_waiting
    assert decoder.receive_binary(b"2") == Packet(EVENT, "/", None, ["a", b"1", b"2"])
    assert not decoder.is_waiting
    assert decoder.receive_text('2["b"]') == Packet(EVENT, "/", None, ["b"])


@pytest.mark.threat("S22")
def test_text_between_attachments_is_refused():
    first = f'52-["a",{TWO_PLACES}]'

    assert refusal(first, '2["b"]') == "text where an attachment was expected"
    assert refusal(first, b"1", '2["b"]') == "text where an attachment was expected"


@pytest.mark.threat("S22")
def test_an_attachment_that_nobody_announced_is_refused():
    assert refusal(b"1") == "binary data that no packet announced"
    assert refusal('2["a"]', b"1") == "binary data that no packet announced"
    assert refusal(f'51-["a",{PLACE}]', b"1", b"2") == "binary data that no packet announced"


@pytest.mark.threat("S22")
@pytest.mark.parametrize("count", ["0", "11", "5999999", "999999999999999"])
def test_a_packet_has_1_to_10_attachments(count):
    assert refusal(f'5{count}-["a",{PLACE}]') == "attachments have to be 1 to 10"


def test_a_limit_of_attachments_can_be_set():
    places = [{"_placeholder": True, "num": num} for num in range(3)]
    text = f"53-{json.dumps(['a', *places])}"

    assert decode(text, b"0", b"1", b"2", max_attachments=3).data == ["a", b"0", b"1", b"2"]
    assert refusal(text, max_attachments=2) == "attachments have to be 1 to 2"


@pytest.mark.threat("S22")
def test_a_count_of_attachments_without_end_is_refused():
    assert refusal("5" + "9" * 5000 + "-[]") == "number with more than 15 digits"


@pytest.mark.threat("S22")
@pytest.mark.parametrize(
    "text",
    ['5["a"]', f'5-["a",{PLACE}]', '51["a"]', '61.0-["a"]', '5 1-["a"]', "5", '21-["a"]', "01-", "1/,1-"],
)
def test_a_count_of_attachments_belongs_to_binary_packets(text):
    reason = refusal(text)

    assert reason in ("attachments and packet type do not go together", "DISCONNECT with the wrong data")


@pytest.mark.threat("S22")
@pytest.mark.parametrize(
    "places",
    [
        ['"none"'],
        [PLACE, PLACE],
        [PLACE, '{"_placeholder":true,"num":1}'],
        ['{"_placeholder":true,"num":1}'],
        ['{"_placeholder":true,"num":-1}'],
        ['{"_placeholder":true,"num":0.0}'],
        ['{"_placeholder":true,"num":false}'],
        ['{"_placeholder":true,"num":"0"}'],
        ['{"_placeholder":true,"num":[]}'],
        ['{"_placeholder":true,"num":{}}'],
        ['{"_placeholder":true}'],
        ['{"_placeholder":true,"num":' + "9" * 400 + "}"],
        [PLACE, '{"_placeholder":true,"num":null}'],
    ],
)
def test_each_attachment_has_one_place(places):
    assert refusal(f'51-["a",{",".join(places)}]') == "placeholders and attachments do not match"


@pytest.mark.threat("S22")
def test_a_packet_and_its_attachments_are_only_so_large_together():
    first = f'52-["a",{TWO_PLACES}]'
    limits = {"max_bytes": len(first) + 10}

    assert decode(first, b"x" * 4, b"x" * 6, **limits)
    assert "larger" in refusal(first, b"x" * 4, b"x" * 7, **limits)
    assert "larger" in refusal(first, b"x" * 11, **limits)


# What we say


def test_an_event_is_put_together_from_its_json():
    assert socketio.event_text("/", "foo", []) == '2["foo"]'
    assert socketio.event_text("/", 'f"o', ["1", '{"a":2}']) == '2["f\\"o",1,{"a":2}]'
    assert socketio.event_text("/admin", "bar", ["null"], id=12) == '2/admin,12["bar",null]'
    assert socketio.event_text("/", "bar", ["1"], id=0) == '20["bar",1]'


def test_an_offset_is_the_last_argument():
    assert socketio.event_text("/", "foo", ["1"], offset="e:1") == '2["foo",1,"e:1"]'
    assert socketio.event_text("/", "foo", [], offset="e:1") == '2["foo","e:1"]'
    assert socketio.binary_event_texts("/", "foo", [PLACE], [b"x"], offset="e:1") == [
        f'51-["foo",{PLACE},"e:1"]',
        b"x",
    ]


def test_an_ack_has_the_id_of_what_it_answers():
    assert socketio.ack_text("/", 0, []) == "30[]"
    assert socketio.ack_text("/admin", 13, ['"bar"', "2"]) == '3/admin,13["bar",2]'


def test_a_connection_is_confirmed():
    assert socketio.connect_text("/", "s1") == '0{"sid":"s1"}'
    assert socketio.connect_text("/admin", "s1", "p1") == '0/admin,{"sid":"s1","pid":"p1"}'


def test_a_connection_is_refused():
    assert (
        socketio.connect_error_text("/random", '{"message":"Invalid namespace"}')
        == '4/random,{"message":"Invalid namespace"}'
    )
    assert socketio.connect_error_text("/", '{"message":"no"}') == '4{"message":"no"}'


def test_a_namespace_is_left():
    assert socketio.disconnect_text("/") == "1"
    assert socketio.disconnect_text("/admin") == "1/admin,"


def test_a_binary_packet_is_text_and_its_attachments():
    assert socketio.binary_event_texts("/", "foo", [PLACE], [b"x"]) == [f'51-["foo",{PLACE}]', b"x"]
    assert socketio.binary_event_texts("/admin", "foo", [TWO_PLACES], [b"x", b"y"], id=3) == [
        f'52-/admin,3["foo",{TWO_PLACES}]',
        b"x",
        b"y",
    ]
    assert socketio.binary_ack_texts("/", 4, ["1", PLACE], [b"x"]) == [f"61-4[1,{PLACE}]", b"x"]
    assert socketio.binary_ack_texts("/admin", 4, [PLACE], [b"x"]) == [f"61-/admin,4[{PLACE}]", b"x"]


def test_bytes_are_taken_out_of_a_value():
    value = [b"a", {"b": (bytearray(b"c"), [memoryview(b"d")], "e")}, 1]

    extracted, attachments = extract_binary(value)

    place = [{"_placeholder": True, "num": num} for num in range(3)]
    assert extracted == [place[0], {"b": [place[1], [place[2]], "e"]}, 1]
    assert attachments == [b"a", b"c", b"d"]
    assert all(type(attachment) is bytes for attachment in attachments)
    assert value[0] == b"a"


def test_a_value_without_bytes_is_left_as_it_is():
    value = [{"_placeholder": True, "num": 0}, ("a",)]

    assert extract_binary(value) == (value, [])
    assert extract_binary(value)[0] is value


def test_data_that_looks_like_a_place_is_not_sent_with_bytes():
    with pytest.raises(InvalidMessage, match="_placeholder"):
        extract_binary([b"a", [{"_placeholder": True, "num": 0}]])


def test_a_value_inside_itself_is_refused():
    value = [b"a"]
    value.append(value)

    with pytest.raises(InvalidMessage, match="nested"):
        extract_binary(value)


def test_the_names_that_clients_keep_are_reserved_for_every_client():
    assert RESERVED_EVENTS < plain.RESERVED


# There and back, and anything at all

namespaces = st.text(st.characters(exclude_characters=",?", exclude_categories=["C", "Z"]), max_size=20).map(
    "/{}".format
)
names = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: name not in RESERVED_EVENTS)
texts = st.text(st.characters(exclude_categories=["Cs"]))
# A dict with it and bytes next to each other are refused.
keys = texts.filter(lambda key: key != "_placeholder")
ids = st.none() | st.integers(0, 10**15 - 1)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


def nested(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


@given(namespaces, names, st.lists(nested(scalars)), ids, st.none() | texts)
def test_an_event_goes_there_and_back(namespace, name, args, id, offset):
    text = socketio.event_text(namespace, name, [json.dumps(arg) for arg in args], id, offset)

    data = [name, *args] if offset is None else [name, *args, offset]
    assert decode(text) == Packet(EVENT, namespace, id, data)


@given(namespaces, names, st.lists(nested(scalars | st.binary())), st.integers(0, 99))
def test_bytes_go_there_and_back(namespace, name, args, id):
    extracted, attachments = extract_binary(args)
    assume(0 < len(attachments) <= 20)
    args_json = [json.dumps(arg) for arg in extracted]

    event = socketio.binary_event_texts(namespace, name, args_json, attachments, id)
    ack = socketio.binary_ack_texts(namespace, id, args_json, attachments)

    assert decode(*event, max_attachments=20) == Packet(EVENT, namespace, id, [name, *args])
    assert decode(*ack, max_attachments=20) == Packet(ACK, namespace, id, args)


@given(namespaces, texts, st.none() | texts)
def test_an_answer_to_connect_goes_there_and_back(namespace, sid, pid):
    answer = decode(socketio.connect_text(namespace, sid, pid))

    assert answer == Packet(
        CONNECT, namespace, None, {"sid": sid, **({"pid": pid} if pid is not None else {})}
    )
    assert decode(socketio.disconnect_text(namespace)) == Packet(DISCONNECT, namespace, None, None)


pieces = st.sampled_from(
    ['"', "[", "]", "{", "}", ",", "-", "/", "?", "0", "1", "2", "5", "51-", '["a"', PLACE, TWO_PLACES]
    + ['"_placeholder":true', '"num":', " ", "\x00", "\ud800", "NaN", "e9", "connect"]
)
messages = st.lists(st.lists(pieces).map("".join) | st.text() | st.binary(), max_size=4)


@given(messages)
def test_whatever_comes_is_packets_or_a_bad_packet(messages):
    decoder = Decoder()
    try:
        for message in messages:
            packet = receive(decoder, message)
            assert (packet is None) is decoder.is_waiting
    except BadPacket as problem:
        assert problem.reason
