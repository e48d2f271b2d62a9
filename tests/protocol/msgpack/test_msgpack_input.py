"""MessagePack from strangers: what is harmless is read, also in pieces, and nothing else is unpacked."""

import math
import tracemalloc

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.msgpack.msgpack_input import BadMessagePack, load_msgpack

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(max_size=300)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
)


def counted():
    turns = []
    return turns, lambda: turns.append(1)


@given(VALUES, st.integers(1, 64))
def test_what_was_packed_is_read_at_once_and_in_pieces(value, window):
    data = msgpack.packb(value)

    assert load_msgpack(data, 100) == value
    assert load_msgpack(data, 100, None, lambda: None, window) == value


@pytest.mark.threat("S47")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends too early"),
        (b"\x91", "ends too early"),
        (b"\xdd\xff\xff\xff\xff", "ends too early"),
        (b"\xda\x00", "more or less"),
        (b"\xa5abc", "more or less"),
        (b"\xcb\x7f", "more or less"),
        (b"\xc7", "extension"),
        (b"\xd4", "extension"),
        (b"\xd7", "extension"),
        (b"\xd7\x00", "more or less"),
        (b"\x01\x02", "more or less"),
        (b"\xc1", "no type"),
        (b"\xd5\x00\x00\x00", "extension"),
        (b"\xd6\xff\x00\x00\x00\x00", "extension"),
        (b"\xc7\x01\x05\x00", "extension"),
        (b"\x81\x01\x02", "key"),
        (b"\x81\xc4\x01a\x02", "key"),
        (b"\xa2\xff\xff", "UTF-8"),
        (b"\xa3\xed\xa0\x80", "UTF-8"),
        (b"\x91" * 33 + b"\x90", "deeply"),
        (b"\xd7\x00\x7f" + b"\xff" * 7, "date"),
    ],
)
@pytest.mark.parametrize("turn", [None, lambda: None], ids=["at once", "in pieces"])
def test_other_bytes_are_refused_with_a_reason(data, reason, turn):
    with pytest.raises(BadMessagePack, match=reason):
        load_msgpack(data, 32, None, turn, 1)


def test_depth_and_values_are_counted():
    assert load_msgpack(b"\x91" * 31 + b"\x90", 32)
    assert load_msgpack(msgpack.packb([1, 2, {"a": 1}]), 2, 10)
    with pytest.raises(BadMessagePack, match="too many values"):
        load_msgpack(msgpack.packb([1, 2, {"a": 1}]), 2, 9)


@pytest.mark.threat("S47")
def test_lengths_without_what_they_promise_make_no_room():
    data = b"\xdd\x00\x0f\xff\xff" * 30 + b"\x90" * 1000

    tracemalloc.start()
    with pytest.raises(BadMessagePack):
        load_msgpack(data, 32)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_what_json_has_no_type_for_is_what_its_client_would_have_made_of_it():
    assert load_msgpack(b"\x92\xd4\x00\x00\xc7\x01\x00x", 1) == [None, b"x"]
    assert load_msgpack(b"\xd7\x00" + (86_400_001).to_bytes(8), 1) == "1970-01-02T00:00:00.001Z"
    assert load_msgpack(b"\xd7\x00" + (-1).to_bytes(8, signed=True), 1) == "1969-12-31T23:59:59.999Z"
    for number in (math.nan, math.inf, -math.inf):
        assert load_msgpack(msgpack.packb([number, 1.5]), 1) == [None, 1.5]
        assert load_msgpack(msgpack.packb([number, 1.5], use_single_float=True), 1) == [None, 1.5]


@pytest.mark.threat("S47")
def test_others_have_their_turns_while_a_large_one_is_read():
    turns, turn = counted()
    many = msgpack.packb({str(number): [{}] * 3 for number in range(5000)})

    assert len(load_msgpack(many, 4, None, turn)) == 5000
    # While it is gone through, and while it is made.
    assert len(turns) > 25 + 5000 // 16
    turns.clear()
    assert load_msgpack(msgpack.packb([1] * 10), 4, None, turn) == [1] * 10
    assert turns == []
