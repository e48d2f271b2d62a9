import contextlib
import io
import time

import gevent
import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_wall.server.http.early_handshake import environ_of
from realtime_wall.server.http.request_head import (
    BadHead,
    check_head,
    head_timer,
    in_origin_form,
    whole_head,
)
from tests.server.head_shapes import LENGTH, PLACES, head, shapes
from tests.server.heads import BAD, GOOD

# What only the reading of the bytes can tell: limits that end it, and the line that ends the head.
READ_LIMITS = {
    "bare LF at the end of the head",
    "a long header",
    "32 KiB of headers",
    "a long target",
    "a request line of 8,192 bytes",
}


@pytest.mark.parametrize(
    ("arrived", "is_timed"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", False),
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nmore", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", True),
        (b"\r\n\r\n", True),  # two lines of it, and then it waits
        (b"", True),
    ],
)
def test_a_head_that_may_still_be_waited_for_has_a_time_limit(arrived, is_timed):
    assert isinstance(head_timer(arrived, 1.0), gevent.Timeout) is is_timed


def lines_of(data):
    lines = []
    for line in io.BytesIO(data):
        if line in (b"\r\n", b"\n"):
            break
        lines.append(line)
    return lines


def is_accepted(lines):
    try:
        check_head(lines)
    except BadHead:
        return False
    return True


def is_fine_with_h11(lines):
    other = h11.Connection(h11.SERVER, max_incomplete_event_size=1024 * 1024)
    other.receive_data(b"".join(lines) + b"\r\n")
    try:
        return isinstance(other.next_event(), h11.Request)
    except h11.RemoteProtocolError:
        return False


@pytest.mark.parametrize(
    ("status", "data"), [pytest.param(*row[1:], id=row[0]) for row in BAD if row[0] not in READ_LIMITS]
)
def test_a_head_in_doubt_is_refused(status, data):
    with pytest.raises(BadHead) as refused:
        check_head(lines_of(data))

    assert refused.value.status == status
    assert refused.value.response().startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in GOOD])
def test_a_sound_head_is_accepted(data):
    check_head(lines_of(data))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"A: b\0\r\n", "400 NUL in the request head"),
        (b"A: b\n", "400 a line of the request head does not end in CRLF"),
        (b"A : b\r\n", "400 a header line is not 'Name: value'"),
        (b"Host: b\r\n", "400 a request needs exactly one Host header"),
        (b"Content-Length: b\r\n", "400 Content-Length is not one number"),
        (b"Transfer-Encoding: b\r\n", "400 the only Transfer-Encoding this server reads is 'chunked'"),
    ],
)
def test_a_refusal_says_why(line, reason):
    with pytest.raises(BadHead) as refused:
        check_head([b"GET / HTTP/1.1\r\n", b"Host: a\r\n", line])

    assert str(refused.value) == reason


def test_no_shape_of_a_head_takes_much_longer_to_read_than_letters():
    def seconds(place, value):
        lines = lines_of(head("GET /", {}, place, value))
        began = time.thread_time()
        with contextlib.suppress(BadHead):
            check_head(lines)
            in_origin_form(lines)
            environ_of(lines, None)
        return time.thread_time() - began

    for place in PLACES:
        most = max(20 * min(seconds(place, "a" * LENGTH) for _ in range(3)), 0.002)
        for name, value in shapes():
            for text in (value, value + "\x01"):
                assert any(seconds(place, text) < most for _ in range(3)), f"{name} in {place}"


WHOLE = b"GET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"


def test_a_head_that_has_come_alone_is_read_at_once():
    assert whole_head(WHOLE, 1000) == [b"GET /a HTTP/1.1\r\n", b"Host: a\r\n", b"B: c\r\n"]


@pytest.mark.parametrize(
    ("arrived", "limit"),
    [
        (WHOLE[:-1], 1000),
        (WHOLE + b"\x81", 1000),
        (WHOLE + WHOLE, 1000),
        (b"\r\n\r\n" + WHOLE, 1000),
        (b"\r\n" + WHOLE, 1000),
        (WHOLE.replace(b"B: c\r\n", b"B: c\n"), 1000),
        (WHOLE.replace(b"B: c", b"B: \rc"), 1000),
        (WHOLE.replace(b"Host", b"Cost"), 1000),
        (WHOLE, len(WHOLE) - 1),
        (WHOLE.replace(b"c", b"c" * 8192), 100_000),
        (b"", 1000),
    ],
)
def test_what_is_more_or_less_or_odd_is_left_to_who_reads_in_pieces(arrived, limit):
    assert whole_head(arrived, limit) is None


def test_a_refusal_is_a_whole_answer_that_ends_the_connection():
    head, _, body = BadHead(431, "too large").response().partition(b"\r\n\r\n")

    assert head.split(b"\r\n") == [
        b"HTTP/1.1 431 Request Header Fields Too Large",
        b"Connection: close",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: 10",
    ]
    assert body == b"too large\n"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://b/c?d", b"/c?d"),
        (b"HTTPS://b", b"/"),
        (b"http://b?d", b"/?d"),
        (b"http://b//c", b"//c"),
    ],
)
def test_the_host_of_a_proxys_target_stands_in_place_of_the_one_beside_it(target, path):
    lines = [b"GET " + target + b" HTTP/1.1\r\n", b"A: b\r\n", b"hoSt: a\r\n"]
    check_head(lines)

    assert in_origin_form(lines) == [b"GET " + path + b" HTTP/1.1\r\n", b"Host: b\r\n", b"A: b\r\n"]


def test_another_target_is_left_as_it_is():
    for line in (b"GET /http://b/ HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n"):
        lines = [line, b"Host: a\r\n"]
        assert in_origin_form(lines) is lines


# Pieces that matter to a parser, to be put together in every order.
PIECES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /a HTTP/1.0\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"Host: a\r\n",
        b"Content-Length: 1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Upgrade: websocket\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"A",
        b"\0",
        b"\x80",
        b"\x85",
        b"\xa0",
        b"\x0b",
        b"#",
        b"?",
        b"HTTP/1.1",
        b"HTTP/2.0",
    ]
)
RANDOM = st.binary(max_size=200)
PIECED = st.lists(PIECES | st.binary(max_size=3), max_size=20).map(b"".join)


@st.composite
def damaged(draw):
    """A sound head with some bytes put in, left out or changed."""
    data = bytearray(draw(st.sampled_from([data for _, data in GOOD if len(data) < 300])))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(PIECES | st.binary(max_size=2))
    return bytes(data)


@pytest.mark.threat("S14")
@given(RANDOM | PIECED | damaged())
@example(b"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n")
def test_what_is_accepted_is_fine_with_another_parser_too(data):
    lines = lines_of(data)
    if lines and is_accepted(lines):
        assert is_fine_with_h11(lines)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=8))
def test_any_lines_are_accepted_or_refused(lines):
    is_accepted([line + b"\r\n" for line in lines])
