import pytest

from realtime_wall.channels.idempotency import LONGEST_KEY, IdempotencyKeys, check_key
from realtime_wall.errors import InvalidMessage


def test_the_first_answer_is_given_again():
    remembered = IdempotencyKeys()

    assert remembered.get("key", now=0) is None
    assert remembered.put("key", "first", now=0) == "first"
    assert remembered.put("key", "second", now=1) == "first"
    assert remembered.get("key", now=2) == "first"


def test_an_answer_is_forgotten_when_it_is_old_and_when_there_are_too_many():
    remembered = IdempotencyKeys(age=10, limit=2)
    for now, key in enumerate("abc"):
        remembered.put(key, key, now)

    assert [remembered.get(key, now=3) for key in "abc"] == [None, "b", "c"]
    assert [remembered.get(key, now=11.5) for key in "abc"] == [None, None, "c"]


@pytest.mark.parametrize("key", ["", "a\nb", "x" * (LONGEST_KEY + 1), 7])
def test_a_key_is_a_short_printable_text(key):
    with pytest.raises(InvalidMessage, match="idempotency key"):
        check_key(key)
