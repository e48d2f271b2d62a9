from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.sources.lines import LineReader


def test_lines_end_with_lf_or_crlf_and_nothing_else():
    reader = LineReader()

    assert reader.receive(b"one\r\ntwo\nthr\ree\xe2\x80\xa8four\r\n") == [
        b"one",
        b"two",
        b"thr\ree\xe2\x80\xa8four",
    ]


def test_a_keep_alive_is_an_empty_line():
    assert LineReader().receive(b"\r\n\r\n") == [b"", b""]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=8), st.data())
def test_how_the_bytes_are_cut_makes_no_difference(lines, data):
    whole = b"".join(line + b"\r\n" for line in lines)
    reader, found = LineReader(), []
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        found += reader.receive(whole[:size])
        whole = whole[size:]

    assert found == lines


def test_a_line_that_is_too_long_is_dropped_and_the_next_one_is_read():
    reader = LineReader(limit=10)

    assert reader.receive(b"x" * 10) == []
    assert reader.receive(b"x\nshort\n") == [b"short"]
    assert reader.overlong == 1


def test_a_line_of_exactly_the_limit_is_read():
    assert LineReader(limit=10).receive(b"x" * 10 + b"\n") == [b"x" * 10]


def test_a_stream_without_lines_is_not_kept():
    reader = LineReader(limit=10)
    for _ in range(1000):
        reader.receive(b"x" * 8)

    assert sum(map(len, reader._parts)) <= 10
