"""Chunks, however they are cut and read, are one body; and whatever else they are is no body."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.server.http.request_body import BodyInput, MalformedBody

CHUNKS = st.lists(st.binary(min_size=1, max_size=200), max_size=8)


def body_of(data):
    body = BodyInput(io.BytesIO(data), None, chunked_input=True)
    body.broken, body.timeout = False, 5.0
    return body


def encoded(chunks):
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@given(CHUNKS, st.lists(st.integers(0, 300), max_size=10))
def test_a_body_is_read_in_any_pieces_and_nothing_behind_it_is(chunks, sizes):
    body = body_of(encoded(chunks) + b"GET /next")

    read = b"".join(body.read(size) for size in sizes) + body.read()

    assert read == b"".join(chunks)
    assert not body.ends_connection()
    assert body.rfile.read() == b"GET /next"


@given(CHUNKS)
def test_lines_go_on_from_one_chunk_to_the_next(chunks):
    body, whole = body_of(encoded(chunks)), b"".join(chunks)

    lines = []
    while line := body.readline():
        lines.append(line)

    assert b"".join(lines) == whole
    assert all(line.endswith(b"\n") for line in lines[: whole.count(b"\n")])


@given(st.binary(max_size=60))
def test_whatever_comes_is_a_body_or_is_refused(data):
    body = body_of(data)
    try:
        body.read()
    except MalformedBody:
        assert body.ends_connection()
    else:
        assert body.chunk_length == 0


def test_a_chunk_is_not_given_the_room_that_it_claims():
    body = body_of(b"fffffffffffffff\r\nabc")

    with pytest.raises(MalformedBody, match="ended in the middle"):
        body.read()
