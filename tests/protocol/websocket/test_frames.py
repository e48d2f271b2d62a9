import codecs
import importlib.util
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import CloseCode, Frame, Opcode
from websockets.server import ServerProtocol

from realtime_wall.protocol.websocket import frames
from realtime_wall.protocol.websocket.frame_writer import (
    binary_frame,
    close_frame,
    ping_frame,
    pong_frame,
    text_frame,
)
from realtime_wall.protocol.websocket.frames import Binary, Close, FrameReader, Ping, Pong, Text, Violation

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x5a\x01\xfe\x37"


def header(opcode, length, fin=True, masked=True):
    """The head of a client's frame that announces a payload, with its mask."""
    mask_bit = 0x80 if masked else 0
    if length < 126:
        announced = bytes((mask_bit | length,))
    elif length < 65536:
        announced = bytes((mask_bit | 126,)) + length.to_bytes(2, "big")
    else:
        announced = bytes((mask_bit | 127,)) + length.to_bytes(8, "big")
    return bytes(((0x80 if fin else 0) | opcode,)) + announced + (MASK if masked else b"")


def from_client(opcode, payload=b"", fin=True):
    masked = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return header(opcode, len(payload), fin) + masked


def goodbye(code, reason=b""):
    return from_client(CLOSE, code.to_bytes(2, "big") + reason)


def receive_bytewise(reader, data):
    return [event for index in range(len(data)) for event in reader.receive(data[index : index + 1])]


def code_of(events):
    assert [type(event) for event in events] == [Violation], events
    return events[0].code


def buffered(reader):
    """The bytes that the reader holds for what has not arrived yet."""
    return sum(
        len(value)
        for name in FrameReader.__slots__
        if name != "_mask" and isinstance(value := getattr(reader, name), (bytes, bytearray))
    )


# What is read


def test_whole_frames_of_one_read_arrive_in_order():
    data = (
        from_client(TEXT, "Grüße".encode())
        + from_client(BINARY, b"\x00\xff")
        + from_client(PING, b"are you there")
        + from_client(PONG)
    )

    assert FrameReader().receive(data) == [
        Text("Grüße"),
        Binary(b"\x00\xff"),
        Ping(b"are you there"),
        Pong(b""),
    ]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70001])
def test_every_way_to_write_a_length_is_read(size):
    payload = bytes(index % 251 for index in range(size))

    assert FrameReader().receive(from_client(BINARY, payload)) == [Binary(payload)]


def test_a_message_may_arrive_one_byte_at_a_time():
    data = from_client(TEXT, b"x" * 200) + from_client(PING, b"p") + from_client(BINARY, b"y" * 130)

    assert receive_bytewise(FrameReader(), data) == [Text("x" * 200), Ping(b"p"), Binary(b"y" * 130)]


def test_control_frames_between_fragments_come_first_and_break_nothing():
    data = (
        from_client(TEXT, b"one ", fin=False)
        + from_client(PING, b"1")
        + from_client(CONTINUATION, b"two ", fin=False)
        + from_client(PONG, b"2")
        + from_client(CONTINUATION, b"three")
        + from_client(TEXT, b"four")
    )

    events = [Ping(b"1"), Pong(b"2"), Text("one two three"), Text("four")]
    assert FrameReader().receive(data) == events
    assert receive_bytewise(FrameReader(), data) == events


def test_a_fragmented_binary_message_is_bytes_whatever_it_holds():
    data = from_client(BINARY, b"\xff", fin=False) + from_client(CONTINUATION, b"\xfe")

    (event,) = FrameReader().receive(data)

    assert event == Binary(b"\xff\xfe")
    assert type(event.data) is bytes


def test_a_character_may_be_cut_by_fragments():
    one, two, three = "€".encode()[:1], "€".encode()[1:2], "€".encode()[2:]
    data = (
        from_client(TEXT, b"a" + one, fin=False)
        + from_client(CONTINUATION, two, fin=False)
        + from_client(CONTINUATION, fin=False)
        + from_client(CONTINUATION, three + b"b")
    )

    assert FrameReader().receive(data) == [Text("a€b")]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_a_close_frame_tells_its_code_and_reason(code):
    assert FrameReader().receive(goodbye(code, "tschüß".encode())) == [Close(code, "tschüß")]


def test_a_close_frame_without_a_body_is_1005():
    (event,) = FrameReader().receive(from_client(CLOSE))

    assert event == Close(1005, "")
    assert type(event.code) is int


@pytest.mark.threat("S09")
def test_what_follows_a_close_frame_is_ignored():
    reader = FrameReader()

    assert reader.receive(goodbye(1000) + from_client(TEXT, b"late")) == [Close(1000, "")]
    assert reader.receive(from_client(TEXT, b"later")) == []
    assert reader.receive(b"GET / HTTP/1.1\r\n\r\n") == []


@pytest.mark.threat("S09")
def test_what_follows_a_violation_is_ignored():
    reader = FrameReader()

    assert code_of(reader.receive(b"GET / HTTP/1.1\r\n\r\n" + from_client(TEXT, b"late"))) == 1002
    assert reader.receive(from_client(TEXT, b"later")) == []
    assert reader.receive(b"\xff\xff") == []


def test_messages_before_a_violation_are_delivered():
    events = FrameReader().receive(from_client(TEXT, b"fine") + b"\xff\xff")

    assert events == [Text("fine"), Violation(1002, "reserved bits set")]


# What is refused


@pytest.mark.threat("S01")
def test_an_unmasked_frame_is_refused_at_its_second_byte():
    reader = FrameReader()

    assert reader.receive(b"\x81") == []
    assert code_of(reader.receive(b"\x01")) == 1002


@pytest.mark.threat("S02")
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("length", [1025, 65536, 2**40, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_length_over_the_limit_is_refused_before_its_mask_is_read(opcode, length):
    reader = FrameReader(max_message=1024)

    assert code_of(reader.receive(header(opcode, length)[:-4])) == 1009
    assert buffered(reader) == 0


def test_a_message_of_exactly_the_limit_is_taken():
    assert FrameReader(max_message=1024).receive(from_client(TEXT, b"x" * 1024)) == [Text("x" * 1024)]


@pytest.mark.threat("S02")
def test_fragments_are_summed_for_the_limit():
    reader = FrameReader(max_message=1024)
    assert reader.receive(from_client(TEXT, b"x" * 1000, fin=False)) == []
    assert reader.receive(from_client(CONTINUATION, b"x" * 24, fin=False)) == []

    assert code_of(reader.receive(header(CONTINUATION, 1))) == 1009
    assert buffered(reader) == 0


def test_the_sum_begins_again_with_each_message():
    reader = FrameReader(max_message=10)
    message = from_client(TEXT, b"12345", fin=False) + from_client(CONTINUATION, b"67890")

    assert reader.receive(message * 3) == [Text("1234567890")] * 3


@pytest.mark.threat("S02")
def test_a_header_alone_makes_the_reader_keep_nothing():
    reader = FrameReader()

    reader.receive(header(BINARY, 1024 * 1024))

    assert buffered(reader) == 0


@pytest.mark.threat("S03")
def test_a_slow_message_is_kept_once():
    reader = FrameReader()
    data = from_client(TEXT, b"x" * 60_000)

    assert receive_bytewise(reader, data[:-1]) == []
    assert buffered(reader) == 59_999
    assert sys.getsizeof(reader._message) < 2 * 60_000
    assert reader.receive(data[-1:]) == [Text("x" * 60_000)]


def test_a_reader_between_messages_holds_no_buffer():
    reader = FrameReader()

    receive_bytewise(reader, from_client(TEXT, b"x" * 1000) + from_client(PING, b"x" * 100))

    assert buffered(reader) == 0
    assert sys.getsizeof(reader) < 200


@pytest.mark.threat("S04", "S05")
@pytest.mark.parametrize("payload", [b"", b"x"])
def test_one_fragment_more_than_allowed_is_refused(payload):
    reader = FrameReader(max_fragments=64)
    fragments = from_client(TEXT, payload, fin=False) + from_client(CONTINUATION, payload, fin=False) * 63
    assert reader.receive(fragments) == []

    assert code_of(reader.receive(from_client(CONTINUATION, payload))) == 1009


def test_a_mebibyte_and_64_fragments_are_the_limits_unless_others_are_given():
    fragment = from_client(CONTINUATION, fin=False)

    assert FrameReader().receive(header(BINARY, 1024 * 1024)) == []
    assert code_of(FrameReader().receive(header(BINARY, 1024 * 1024 + 1))) == 1009
    assert FrameReader().receive(from_client(TEXT, fin=False) + fragment * 63) == []
    assert code_of(FrameReader().receive(from_client(TEXT, fin=False) + fragment * 64)) == 1009


def test_as_many_fragments_as_allowed_are_taken_in_each_message():
    reader = FrameReader(max_fragments=3)
    message = (
        from_client(TEXT, b"a", fin=False)
        + from_client(CONTINUATION, b"b", fin=False)
        + from_client(CONTINUATION, b"c")
    )

    assert reader.receive(message * 2) == [Text("abc")] * 2


def expected_of(first, second):
    """What RFC 6455 says about a frame that begins like this and is then complete."""
    opcode = first & 0x0F
    if first & 0x70 or opcode not in (0, 1, 2, 8, 9, 10) or not second & 0x80:
        return 1002
    length = second & 0x7F
    if opcode >= 8 and (length > 125 or not first & 0x80):
        return 1002
    if opcode == 0:
        return 1002  # a continuation of nothing
    if opcode == 8:
        # The payload is all zeros: nothing, half a code, or the code 0.
        return Close if length == 0 else 1002
    return {1: Text, 2: Binary, 9: Ping, 10: Pong}[opcode]


@pytest.mark.threat("S06")
def test_every_pair_of_first_bytes_is_legal_or_refused_and_none_hangs():
    lengths = {126: (300).to_bytes(2, "big"), 127: (70_000).to_bytes(8, "big")}
    sizes = {126: 300, 127: 70_000}
    for first in range(256):
        for second in range(256):
            expected = expected_of(first, second)
            length = second & 0x7F
            reader = FrameReader()
            events = reader.receive(bytes((first, second)) + lengths.get(length, b"") + bytes(4))
            if length and not events:
                events = reader.receive(bytes(sizes.get(length, length)))
            if not events:  # the first of several fragments
                assert not first & 0x80, (first, second)
                events = reader.receive(from_client(CONTINUATION))
            if isinstance(expected, int):
                assert code_of(events) == expected, (first, second)
            else:
                assert [type(event) for event in events] == [expected], (first, second)


@pytest.mark.threat("S06")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xc1\x80", "reserved bits set"),
        (b"\x83\x80", "reserved opcode"),
        (b"\x8b\x80", "reserved opcode"),
        (b"\x09\x80", "fragmented control frame"),
        (b"\x0a\x80", "fragmented control frame"),
        (b"\x89\xfe", "control frame too long"),
        (b"\x80\x80", "continuation of nothing"),
        (b"\x81\x00", "frame not masked"),
    ],
)
def test_a_refusal_says_what_was_wrong_at_the_second_byte(data, reason):
    assert FrameReader().receive(data) == [Violation(1002, reason)]


@pytest.mark.threat("S06")
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_new_message_inside_a_fragmented_one_is_refused(opcode):
    reader = FrameReader()
    reader.receive(from_client(TEXT, fin=False))

    assert code_of(reader.receive(from_client(opcode))) == 1002


@pytest.mark.threat("S06")
def test_a_continuation_after_the_end_of_a_message_is_refused():
    reader = FrameReader()
    reader.receive(from_client(TEXT, b"a", fin=False) + from_client(CONTINUATION, b"b"))

    assert code_of(reader.receive(from_client(CONTINUATION, b"c"))) == 1002


@pytest.mark.parametrize(
    "length",
    [
        b"\xfe" + (125).to_bytes(2, "big"),
        b"\xff" + (125).to_bytes(8, "big"),
        b"\xff\x00\x00\x00\x00\x00\x00\xff\xff",
    ],
)
def test_a_length_that_could_be_written_shorter_is_refused(length):
    assert code_of(FrameReader().receive(b"\x82" + length)) == 1002


INVALID_UTF8 = {
    "a byte that is never used": b"\xff",
    "an end without a start": b"\x80",
    "overlong": b"\xc0\xaf",
    "overlong in four bytes": b"\xf0\x80\x80\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "cut in the middle": b"\xe2\x82",
}


@pytest.mark.threat("S07")
@pytest.mark.parametrize("bad", INVALID_UTF8.values(), ids=INVALID_UTF8)
def test_text_that_is_no_utf8_is_refused(bad):
    whole = from_client(TEXT, b"fine " + bad)
    split = from_client(TEXT, b"fine " + bad[:1], fin=False) + from_client(CONTINUATION, bad[1:])

    for data in (whole, split):
        assert code_of(FrameReader().receive(data)) == 1007
        assert code_of(receive_bytewise(FrameReader(), data)) == 1007


@pytest.mark.threat("S07")
def test_bad_text_is_refused_at_the_fragment_it_is_in():
    reader = FrameReader()
    assert reader.receive(from_client(TEXT, b"a\xe2\x82", fin=False)) == []

    assert code_of(reader.receive(from_client(CONTINUATION, b"\xff", fin=False))) == 1007


@pytest.mark.threat("S07")
def test_bad_text_is_refused_before_its_frame_has_arrived():
    reader = FrameReader()
    begun = from_client(TEXT, b"good \xe2\x82\xac and then \xff" + b"more" * 1000)

    assert code_of(reader.receive(begun[:-3000])) == 1007


@pytest.mark.threat("S07")
def test_each_part_of_a_fragmented_text_is_looked_at_once_before_its_end(monkeypatch):
    looked_at = []

    class CountingCodecs:
        @staticmethod
        def utf_8_decode(data, *rest):
            looked_at.append(len(data))
            return codecs.utf_8_decode(data, *rest)

    monkeypatch.setattr(frames, "codecs", CountingCodecs)
    reader = FrameReader()
    first, second, third = ("\xe9" * half for half in (50, 25, 10))
    reader.receive(
        from_client(TEXT, first.encode(), fin=False) + from_client(CONTINUATION, second.encode(), fin=False)
    )
    reader.receive(from_client(CONTINUATION, third.encode(), fin=False))

    assert looked_at == [100, 50, 20]


BAD_CLOSE = {
    "half a code": b"\x03",
    **{
        str(code): code.to_bytes(2, "big")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    },
    "a reason that is no UTF-8": b"\x03\xe8\xff",
}


@pytest.mark.threat("S08")
@pytest.mark.parametrize("payload", BAD_CLOSE.values(), ids=BAD_CLOSE)
def test_a_bad_close_frame_is_refused(payload):
    reader = FrameReader()

    assert code_of(reader.receive(from_client(CLOSE, payload))) == 1002
    assert reader.receive(from_client(TEXT, b"late")) == []


# What holds for all bytes

payloads = st.binary(max_size=300) | st.text(max_size=200).map(str.encode)
controls = st.lists(st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125)), max_size=2)


@st.composite
def streams(draw):
    """A client's bytes, fragmented at will, and the events they stand for."""
    data, events = b"", []
    for _ in range(draw(st.integers(0, 5))):
        is_text = draw(st.booleans())
        payload = draw(st.text(max_size=200).map(str.encode) if is_text else payloads)
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for index, part in enumerate(parts):
            opcode = CONTINUATION if index else (TEXT if is_text else BINARY)
            data += from_client(opcode, part, fin=index == len(parts) - 1)
            if index < len(parts) - 1:
                for control, content in draw(controls):
                    data += from_client(control, content)
                    events.append(Ping(content) if control == PING else Pong(content))
        events.append(Text(payload.decode()) if is_text else Binary(payload))
    return data, events


@st.composite
def in_pieces(draw, data):
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(streams(), st.data())
def test_messages_survive_any_fragments_and_any_pieces(stream, choose):
    data, events = stream
    reader = FrameReader()

    received = [event for piece in choose.draw(in_pieces(data)) for event in reader.receive(piece)]

    assert received == events
    assert buffered(reader) == 0


almost_frames = st.lists(
    st.binary(max_size=20)
    | st.builds(
        from_client,
        st.sampled_from([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG, 3]),
        st.binary(max_size=40) | st.just(b"x" * 130),
        st.booleans(),
    ),
    max_size=8,
).map(b"".join)


@pytest.mark.threat("S03")
@given(almost_frames, st.data())
def test_how_the_bytes_were_cut_makes_no_difference(data, choose):
    def received(pieces):
        reader = FrameReader(max_message=128, max_fragments=3)
        return [event for piece in pieces for event in reader.receive(piece)]

    whole = received([data])

    assert received(choose.draw(in_pieces(data))) == whole
    assert received([data[index : index + 1] for index in range(len(data))]) == whole
    assert all(type(event) not in (Violation, Close) for event in whole[:-1])


def read_by_websockets(data):
    """The same stream, as the library websockets understands it."""
    protocol = ServerProtocol(max_size=2**20)
    protocol.state = protocol.state.OPEN
    protocol.parser = protocol.parse()
    next(protocol.parser)
    protocol.receive_data(data)
    events, message, kind = [], b"", None
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode is Opcode.PING:
            events.append(Ping(bytes(frame.data)))
        elif frame.opcode is Opcode.PONG:
            events.append(Pong(bytes(frame.data)))
        elif frame.opcode is Opcode.CLOSE:
            events.append(Close(int(protocol.close_rcvd.code), protocol.close_rcvd.reason))
        else:
            kind = frame.opcode if frame.opcode is not Opcode.CONT else kind
            message += frame.data
            if frame.fin:
                events.append(Text(message.decode()) if kind is Opcode.TEXT else Binary(message))
                message = b""
    return events


@given(streams(), st.sampled_from([b"", goodbye(1000, b"bye"), goodbye(4321), from_client(CLOSE)]))
def test_the_library_websockets_understands_the_same(stream, ending):
    data = stream[0] + ending

    assert FrameReader().receive(data) == read_by_websockets(data)


# What is written


def parsed(data):
    """One frame of ours, as the library websockets reads it."""
    position = 0

    def read_exact(size):
        nonlocal position
        piece = data[position : position + size]
        assert len(piece) == size
        position += size
        return piece
        yield  # a generator, as the parser wants it

    parser = Frame.parse(read_exact, mask=False)
    with pytest.raises(StopIteration) as stopped:
        next(parser)
    assert position == len(data)
    return stopped.value.value


@pytest.mark.parametrize(("size", "head"), [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)])
def test_what_is_written_can_be_read_and_has_the_shortest_head(size, head):
    payload = b"x" * size

    assert len(text_frame(payload)) == head + size
    assert parsed(text_frame(payload)) == Frame(Opcode.TEXT, payload)
    assert parsed(binary_frame(payload)) == Frame(Opcode.BINARY, payload)


def test_pings_and_pongs_carry_their_data():
    assert parsed(ping_frame()) == Frame(Opcode.PING, b"")
    assert parsed(ping_frame(b"1")) == Frame(Opcode.PING, b"1")
    assert parsed(pong_frame(b"2")) == Frame(Opcode.PONG, b"2")


def test_a_goodbye_carries_code_and_reason():
    assert parsed(close_frame(1001, "tschüß")) == Frame(Opcode.CLOSE, b"\x03\xe9" + "tschüß".encode())


@pytest.mark.threat("S08")
@pytest.mark.parametrize("reason", ["é" * 100, "x" * 122 + "é", "x" * 200, "😀" * 40])
def test_a_long_reason_is_cut_between_characters(reason):
    content = parsed(close_frame(1000, reason)).data[2:]

    assert len(content) == len(reason.encode()[:123].decode(errors="ignore").encode())
    assert reason.startswith(content.decode())


def test_a_reason_that_cannot_be_encoded_does_not_stop_the_goodbye():
    assert parsed(close_frame(1000, "half \ud83d")).data[2:] == b"half ?"


@pytest.mark.threat("S08")
@pytest.mark.parametrize("code", [1005, 1006, 1015])
def test_codes_that_never_travel_are_written_as_no_code(code):
    assert close_frame(code, "not sent") == b"\x88\x00"


@pytest.mark.threat("S08")
@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 2999, 5000, 65536])
def test_a_code_that_no_client_would_accept_is_refused(code):
    with pytest.raises(ValueError, match=str(code)):
        close_frame(code)


@pytest.mark.parametrize("code", [code.value for code in CloseCode if code not in (1005, 1006, 1015)])
def test_every_other_registered_code_can_be_sent(code):
    assert parsed(close_frame(code)).data == code.to_bytes(2, "big")


def test_frames_are_read_without_the_c_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    spec = importlib.util.find_spec("realtime_wall.protocol.websocket.frames")
    slow = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, slow)
    spec.loader.exec_module(slow)

    assert slow.apply_mask is not frames.apply_mask
    events = receive_bytewise(slow.FrameReader(), from_client(TEXT, b"hello") + from_client(TEXT))
    assert [event.text for event in events] == ["hello", ""]


# One short text alone


@pytest.mark.parametrize("text", ["", "hello", "wört", "x" * 125])
def test_a_short_text_that_comes_alone_is_read_at_once(text):
    reader = FrameReader(max_message=125)
    data = from_client(TEXT, text.encode())

    assert reader.only_text(data) == text
    assert reader.receive(data) == [Text(text)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        from_client(TEXT, b"hello")[:5],
        from_client(TEXT, b"hello")[:-1],
        from_client(TEXT, b"hello") + b"\x81",
        from_client(TEXT, b"x" * 126),
        from_client(TEXT, b"x" * 11),
        from_client(TEXT, b"hello", fin=False),
        from_client(BINARY, b"hello"),
        from_client(PING, b"hello"),
        b"\x81\x09" + bytes(9),
        from_client(TEXT, b"\xff"),
    ],
)
def test_anything_else_is_not(data):
    assert FrameReader(max_message=10).only_text(data) is None


def test_nor_is_one_whose_length_is_not_where_it_seems_to_be():
    not_the_shortest_form = b"\x81\xfe" + (124).to_bytes(2, "big") + bytes(4) + b"x" * 124

    assert FrameReader().only_text(not_the_shortest_form) is None


@pytest.mark.parametrize(
    "before",
    [
        from_client(PING, b"hello" * 2)[:7],
        header(BINARY, 11),
        from_client(TEXT, b"a", fin=False),
        goodbye(1000),
    ],
)
def test_nor_what_follows_something_unfinished_or_a_goodbye(before):
    reader = FrameReader()
    reader.receive(before)

    assert reader.only_text(from_client(TEXT, b"hello")) is None
