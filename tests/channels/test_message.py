from dataclasses import FrozenInstanceError

import pytest

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position


def message(data_json='"a"'):
    return Message("room", data_json, Position("e", 1), number=1, time=1000.0)


def test_a_message_cannot_be_changed_once_it_is_published():
    with pytest.raises(FrozenInstanceError):
        message().data_json = '"b"'


def test_the_size_of_a_message_counts_what_its_text_takes_in_memory():
    small, long, wide = message(), message('"' + "a" * 10_000 + '"'), message('"' + "😀" * 10_000 + '"')

    assert 10_000 - 10 <= long.size - small.size < 11_000
    assert 40_000 - 10 <= wide.size - small.size < 41_000


def test_a_message_is_never_free():
    assert message("0").size > 200
