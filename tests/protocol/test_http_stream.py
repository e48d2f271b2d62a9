import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.http_stream import LAST_CHUNK, chunk, head


def read_chunks(data):
    stream, body = io.BytesIO(data), b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        assert stream.read(2) == b"\r\n"
    assert stream.read() == b"\r\n"
    return body


def test_a_head_is_a_status_line_and_headers():
    assert head("200 OK", [("A", "1"), ("B", "\xe9")]) == b"HTTP/1.1 200 OK\r\nA: 1\r\nB: \xe9\r\n\r\n"


@given(st.lists(st.binary(max_size=40)))
def test_chunks_give_back_what_went_in(parts):
    assert read_chunks(b"".join(map(chunk, parts)) + LAST_CHUNK) == b"".join(parts)


def test_nothing_is_no_chunk_for_that_would_be_the_last():
    assert chunk(b"") == b""


@pytest.mark.parametrize("size", [1, 15, 16, 4096])
def test_the_size_is_in_hexadecimal(size):
    assert chunk(b"x" * size).startswith(b"%x\r\n" % size)
