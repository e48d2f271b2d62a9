import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from realtime_wall.protocol.websocket import deflate
from realtime_wall.protocol.websocket.deflate import (
    PLAIN,
    DeflateFraming,
    DeflateReader,
    deflate_framing,
    inflate,
)
from realtime_wall.protocol.websocket.frames import Binary, Deflated, FrameReader, Ping, Text, Violation
from tests.fakes import masked

TEXT, BINARY, CONTINUATION, PING, RSV1 = 1, 2, 0, 9, 0x40
LIMIT = 1000
JSON = b'{"type":"message","message":"' + b"the same again, " * 100 + b'"}'


def squeezed(payload, window_bits=15):
    """As a client deflates it."""
    peer = PerMessageDeflate(True, True, 15, window_bits)
    return bytes(peer.encode(Frame(Opcode.BINARY, payload)).data)


def read_by_a_peer(frame, window_bits=15):
    """What a client makes of one frame of ours; its length takes one or two more bytes."""
    peer = PerMessageDeflate(True, True, window_bits, 15)
    start = {126: 4, 127: 10}.get(frame[1], 2)
    received = Frame(Opcode(frame[0] & 0x0F), frame[start:], rsv1=bool(frame[0] & RSV1))
    return bytes(peer.decode(received).data)


def read(data, reader=None):
    reader = reader or DeflateReader(LIMIT, 10)
    return [inflate(one, LIMIT) if isinstance(one, Deflated) else one for one in reader.receive(data)]


# Written


@pytest.mark.parametrize("window_bits", range(9, 16))
def test_a_client_of_any_window_reads_what_was_deflated_for_it(window_bits):
    framing = DeflateFraming(window_bits, 100)

    assert read_by_a_peer(framing.text(JSON * 40), window_bits) == JSON * 40
    assert framing.text(JSON)[0] == 0x80 | RSV1 | TEXT
    assert framing.binary(JSON)[0] == 0x80 | RSV1 | BINARY
    assert len(framing.text(JSON)) < len(JSON) / 5


def test_what_is_small_or_gets_no_smaller_or_takes_long_is_sent_as_it_is(monkeypatch):
    framing = DeflateFraming(15, 100)
    noise = bytes(range(256))
    monkeypatch.setattr(deflate, "LARGEST", 2000)

    for payload in (b"x" * 99, noise, b"x" * 2001):
        assert framing.binary(payload) == PLAIN.binary(payload)
        assert framing.text(payload) == PLAIN.text(payload)
    assert framing.text(b"x" * 100) != PLAIN.text(b"x" * 100)


def test_connections_of_a_kind_have_one_framing():
    assert deflate_framing(15, 100) is deflate_framing(15, 100)
    assert deflate_framing(15, 100) is not deflate_framing(9, 100)


# Read


@given(st.binary(max_size=LIMIT), st.integers(9, 15), st.integers(1, 700))
def test_what_a_client_deflated_is_read_in_any_pieces(payload, window_bits, size):
    reader, events = DeflateReader(LIMIT * 2, 10), []
    data = masked(BINARY | RSV1, squeezed(payload, window_bits)) + masked(BINARY, payload)
    for start in range(0, len(data), size):
        events += read(data[start : start + size], reader)

    assert events == [Binary(payload), Binary(payload)]


def test_fragments_are_one_deflated_message_and_a_ping_may_come_between():
    data = squeezed("grüße".encode())
    frames = [
        masked(TEXT | RSV1, data[:3], fin=False),
        masked(PING, b"?"),
        masked(CONTINUATION, data[3:5], fin=False),
        masked(CONTINUATION, data[5:]),
        masked(TEXT, "grü".encode()[:3], fin=False),  # and the next is not deflated
        masked(CONTINUATION, "grü".encode()[3:]),
    ]

    assert read(b"".join(frames)) == [Ping(b"?"), Text("grüße"), Text("grü")]


@pytest.mark.parametrize(
    "frame",
    [
        masked(CONTINUATION | RSV1, b""),
        masked(PING | RSV1, b""),
        masked(TEXT | 0x20, b""),
        masked(TEXT | RSV1 | 0x10, b""),
    ],
)
def test_only_the_first_frame_of_a_message_says_that_it_is_deflated(frame):
    start = masked(TEXT, b"a", fin=False) if frame[0] & 0x0F == CONTINUATION else b""

    assert read(start + frame) == [Violation(1002, "reserved bits set")]


def test_a_frame_that_is_not_masked_is_named_as_that():
    assert read(bytes((0x80 | RSV1 | TEXT, 0))) == [Violation(1002, "frame not masked")]


@pytest.mark.threat("S11")
def test_where_it_was_not_agreed_on_the_bit_is_a_violation():
    events = FrameReader(LIMIT, 10).receive(masked(TEXT | RSV1, squeezed(b"text")))

    assert events == [Violation(1002, "reserved bits set")]


@pytest.mark.threat("S11")
def test_no_more_of_a_bomb_is_inflated_than_a_message_may_have(monkeypatch):
    made = []

    class Watched:
        def __init__(self, inflater):
            self.inflater = inflater

        def decompress(self, data, max_length):
            made.append(len(found := self.inflater.decompress(data, max_length)))
            return found

    make = zlib.decompressobj
    monkeypatch.setattr(deflate.zlib, "decompressobj", lambda bits: Watched(make(bits)))
    bomb = squeezed(bytes(800_000))
    assert len(bomb) < LIMIT

    assert read(masked(BINARY | RSV1, bomb)) == [Violation(1009, f"message larger than {LIMIT} bytes")]
    assert made == [LIMIT + 1]


def test_a_message_of_just_the_allowed_size_is_read():
    assert read(masked(BINARY | RSV1, squeezed(bytes(LIMIT)))) == [Binary(bytes(LIMIT))]
    assert read(masked(BINARY | RSV1, squeezed(bytes(LIMIT + 1))))[0].code == 1009


@pytest.mark.parametrize(
    ("deflated", "event"),
    [
        (
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            Text("Hello"),
        ),  # RFC 7692 7.2.3.4: its block says it is the last
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00", Text("Hello")),
        (b"\x00", Text("")),
        (b"", Text("")),
        (b"\xff\xff\xff", Violation(1007, "message cannot be inflated")),
        (b"\x03\x00" * 3, Violation(1007, "message cannot be inflated")),  # something behind the last block
        (squeezed(b"\xff"), Violation(1007, "text is not UTF-8")),
    ],
)
def test_what_a_client_may_make_of_a_text(deflated, event):
    assert read(masked(TEXT | RSV1, deflated)) == [event]


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_to_break_the_protocol(deflated):
    (event,) = read(masked(TEXT | RSV1, deflated))

    assert isinstance(event, Text | Violation)
