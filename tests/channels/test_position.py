import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition

epochs = st.text("abcXYZ019_-", min_size=1, max_size=32)


@given(epochs, st.integers(0, 10**18 - 1))
def test_what_is_written_can_be_parsed(epoch, offset):
    position = Position(epoch, offset)

    assert Position.parse(str(position)) == position


def test_a_position_is_written_as_epoch_and_offset():
    assert str(Position("k3", 42)) == "k3:42"


def test_what_an_offset_of_socketio_says_besides_is_left_out():
    assert Position.parse("k3:42.7") == Position("k3", 42)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "e:",
        ":1",
        "e:-1",
        "e:1.",
        "e:1.x",
        "e:1.5.5",
        "e:1.1234567890",
        "e:x",
        "e 1",
        "e:1 ",
        " e:1",
        "e:1\n",
        "a:b:1",
        "é:1",
        "e:١",
        "e:²",
    ]
    + ["e" * 33 + ":1", "e:" + "1" * 19, "e:" + "9" * 5000, None, 5, b"e:1"],
)
def test_what_we_never_wrote_is_refused(text):
    with pytest.raises(InvalidPosition) as refused:
        Position.parse(text)

    assert len(str(refused.value)) < 200


def test_positions_have_no_order_of_their_own():
    with pytest.raises(TypeError):
        assert Position("a", 1) < Position("b", 2)
