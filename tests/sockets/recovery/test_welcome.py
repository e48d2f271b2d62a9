"""What a client has heard that comes back with the offset it had at its welcome, or with none."""

import pytest

from realtime_wall.channels.position import Position
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession, DetachedSessions
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome, offset_or_none

NOW = Position("e", 5)


def detached(had=None, cursor=NOW, acks=None):
    """A session that was welcomed at e:5, and detached when the log was at e:9."""
    kept_in = DetachedSessions(None, 120.0)
    welcome, complete = Welcome(NOW, had), Position("e", 9)
    acks = SubscribeAcks(had) if acks is None else acks
    return DetachedSession(kept_in, "secret", "owner", None, (), welcome, cursor, complete, acks)


@pytest.mark.parametrize(
    ("had", "brings"), [(None, None), ("e:3", None), ("e:3", "e:3"), ("e:5.1", "e:5.1"), ("d:7", "d:7")]
)
def test_it_has_heard_nothing_since_and_is_sent_all_that_was_written_to_it(had, brings):
    assert detached(had, cursor=Position("e", 8)).since(brings) == NOW


@pytest.mark.parametrize(("had", "brings"), [(None, None), ("e:3", "e:3"), ("d:7", "d:7")])
def test_when_nothing_was_written_to_it_it_has_missed_what_came_after_its_connection(had, brings):
    assert detached(had).since(brings) == Position("e", 9)


def test_with_any_other_offset_it_has_heard_up_to_there():
    one = detached("e:3", cursor=Position("e", 8))

    assert [one.since(offset) for offset in ("e:6", "e:8", "nonsense")] == [
        Position("e", 6),
        Position("e", 9),
        None,
    ]


def test_one_that_was_ahead_of_the_server_may_have_heard_its_offset_before_or_after():
    one = detached("e:7", cursor=Position("e", 8))

    assert (one.since("e:7"), one.since("e:8")) == (None, Position("e", 9))


def test_whose_subscribe_was_answered_does_not_have_what_it_had_before():
    acks = SubscribeAcks("e:5.1")
    acks.add(NOW)
    acks.written()
    one = detached("e:5.1", acks=acks)

    assert acks.offset(NOW) == "e:5.2"
    assert [one.since(offset) for offset in (None, "e:5.1", "e:5.2")] == [None, None, Position("e", 9)]


@pytest.mark.parametrize("offset", [None, 5, "nonsense", "e:1.", ["e:1"], "e:" + "1" * 1000])
def test_what_no_server_has_given_is_no_offset(offset):
    assert offset_or_none(offset) is None
    assert offset_or_none("e:1.3") == "e:1.3"
