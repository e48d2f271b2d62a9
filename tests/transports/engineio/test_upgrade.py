from time import monotonic

import gevent
import pytest

from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.transports.engineio.upgrade import PROBE_TIMEOUT
from tests.fakes import RecordingWire, masked
from tests.transports.engineio.client import BINARY, TEXT, polling_in_vain, say, written


def test_a_client_changes_over_and_what_waits_comes_first(polling, wire, client):
    waiting = polling_in_vain(polling)
    polling.offer(wire, b"")
    gevent.sleep(0)
    assert not waiting.dead

    say(wire, "2probe")
    assert written(wire) == [b"3probe"]
    assert waiting.get(timeout=10) == "6"

    polling.send("one")
    polling.send(b"two")
    say(wire, "5", "4mine")
    polling.send("three")
    assert written(wire)[1:] == [b"4one", b"two", b"4three"]
    assert client.heard == ["mine"]


def test_a_poll_during_the_trial_returns_at_once(polling, wire):
    polling.offer(wire, masked(TEXT, "2probe"))

    assert polling.poll() == "6"


def test_a_websocket_that_only_says_hello_does_not_make_polls_spin(polling, wire):
    polling.offer(wire, b"")

    waiting = polling_in_vain(polling)
    gevent.sleep(0)
    assert not waiting.dead


def test_a_poll_that_waits_at_the_change_is_ended(polling, wire):
    polling.offer(wire, b"")
    waiting = polling_in_vain(polling)

    say(wire, "5")

    assert waiting.get(timeout=10) == "6"


@pytest.mark.parametrize("text", ["4hello", "2", "3probe", "bAA==", ""])
def test_a_trial_that_says_something_else_fails_and_the_session_goes_on(polling, wire, client, text):
    polling.offer(wire, b"")
    say(wire, text)
    wire.abort("closed")

    assert wire.close().code == 1002
    assert (client.heard, client.reasons) == ([], [])
    polling.send("still here")
    assert polling.poll() == "4still here"


def test_bytes_are_no_trial_either(polling, wire):
    polling.offer(wire, b"")
    wire.owner.received(masked(BINARY, b"x"))

    assert wire.close().code == 1002


def test_another_trial_replaces_the_first(polling, wire):
    polling.offer(wire, b"")
    second = RecordingWire()
    polling.offer(second, b"")

    assert wire.ended == "replaced by another attempt"
    say(second, "2probe", "5")
    polling.send("x")
    assert written(second) == [b"3probe", b"4x"]


def test_a_session_on_a_websocket_takes_no_other(framed, wire, client):
    second = RecordingWire()
    framed.offer(second, masked(TEXT, "2probe"))

    assert second.close() == Close(1000, "")
    framed.send("x")
    assert written(wire) == [b"4x"]
    assert client.reasons == []


def test_a_trial_does_not_last_for_ever(polling, wire, client):
    polling.offer(wire, masked(TEXT, "2probe"))

    polling.tick(monotonic() + PROBE_TIMEOUT + 0.1)

    assert wire.ended == "was tried out for too long"
    assert client.reasons == []
    polling.send("x")
    assert polling.poll() == "4x"


def test_a_busy_client_that_changes_over_is_not_read_from(polling, wire, client):
    polling.offer(wire, b"")
    client.busy = True

    say(wire, "5")

    assert wire.paused


def test_a_change_of_transport_drains_what_waits(polling, wire):
    drained = []
    polling.send("x")
    polling.when_drained(lambda: drained.append("polling"))
    polling.offer(wire, b"")
    say(wire, "5")
    assert drained == ["polling"]


def test_or_the_websocket_does_when_it_is_slow(polling, wire):
    drained = []
    polling.send("x")
    polling.when_drained(lambda: drained.append("websocket"))
    polling.offer(wire, b"")
    wire.outbox_size = 1
    say(wire, "5")
    assert drained == []

    wire.drain()
    assert drained == ["websocket"]


def test_a_trial_ends_with_its_session(polling, wire):
    polling.offer(wire, b"")

    polling.end("over")

    assert wire.ended == "over"
