import json
from time import monotonic

import gevent
import pytest

from realtime_wall.protocol.engineio import MAX_PACKETS, BadPacket
from realtime_wall.protocol.frames import Close
from realtime_wall.transports.engineio import MAX_POSTED, PROBE_TIMEOUT, Conflict, Session, sessions
from realtime_wall.wire.connection import DROPPED, QUEUED, SENT
from tests.fakes import RecordingWire, masked, running_node
from tests.live import wait_for

TEXT, BINARY, PING = 1, 2, 9


class Listener:
    """What is spoken inside a session: it notes what it hears."""

    def __init__(self):
        self.heard = []
        self.reasons = []
        self.busy = False
        self.deadline = None
        self.while_hearing = lambda: None

    def message(self, data):
        self.heard.append(data)
        self.while_hearing()
        if data == "bad":
            raise BadPacket("not what was agreed")

    def gone(self, reason):
        self.reasons.append(reason)

    def is_busy(self):
        return self.busy


@pytest.fixture
def node():
    with running_node(ping_interval=25, ping_timeout=20, outbox_size=1000) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")


@pytest.fixture
def client():
    return Listener()


@pytest.fixture
def polling(node, client):
    """A session over polling whose client knows its id."""
    session = Session(node, "")
    session.begin(client)
    session.poll()
    return session


@pytest.fixture
def wire():
    return RecordingWire()


@pytest.fixture
def framed(node, client, wire):
    session = Session(node, "")
    session.begin(client, wire)
    wire.written = b""
    return session


def written(wire):
    """The payloads that were written, in order."""
    return [payload for opcode, payload in wire.frames() if opcode in (TEXT, BINARY)]


def say(wire, *texts):
    wire.owner.received(b"".join(masked(TEXT, text) for text in texts))


def polling_in_vain(session):
    """A GET that waits."""
    waiting = gevent.spawn(session.poll)
    wait_for(lambda: session._poll is not None, "the poll")
    return waiting


# The beginning


def test_a_polling_client_is_told_its_id_its_heartbeat_and_that_it_may_change_over(node, client):
    session = Session(node, "")
    session.begin(client)

    hello = session.poll()

    assert hello[0] == "0"
    assert json.loads(hello[1:]) == {
        "sid": session.sid,
        "upgrades": ["websocket"],
        "pingInterval": 25000,
        "pingTimeout": 20000,
        "maxPayload": node.config.message_size,
    }
    assert sessions[session.sid] is session


def test_a_client_on_a_websocket_is_not_told_to_change(node, client, wire):
    Session(node, "").begin(client, wire, masked(TEXT, "4early"))

    (hello,) = written(wire)
    assert json.loads(hello[1:])["upgrades"] == []
    assert client.heard == ["early"]


# Sending and hearing


def test_what_is_sent_waits_for_the_next_poll_in_order(polling):
    assert [polling.send("one"), polling.send(b"two"), polling.send("three")] == [QUEUED] * 3

    assert polling.poll() == "4one\x1ebdHdv\x1e4three"


def test_a_poll_waits_until_there_is_something_to_say(polling):
    waiting = polling_in_vain(polling)

    polling.send("now")

    assert waiting.get(timeout=10) == "4now"


def test_a_poll_brings_no_more_packets_than_clients_read(polling):
    for number in range(MAX_PACKETS + 1):
        polling.send(str(number))

    assert polling.poll().count("\x1e") == MAX_PACKETS - 1
    assert polling.poll() == f"4{MAX_PACKETS}"


def test_a_client_that_does_not_fetch_is_cut_off_when_too_much_waits(polling, client):
    assert polling.send("x" * 998) is QUEUED

    assert polling.send("x") is DROPPED
    assert client.reasons == ["reads too slowly"]
    assert polling.send("x") is DROPPED


def test_on_a_websocket_texts_and_bytes_are_frames(framed, wire):
    assert framed.send("text") is SENT
    framed.send(b"bytes")

    assert wire.frames() == [(TEXT, b"4text"), (BINARY, b"bytes")]


def test_what_a_client_posts_is_heard_in_order(polling, client):
    polling.post(b"4one\x1ebdHdv\x1e4three")

    assert client.heard == ["one", b"two", "three"]


def test_what_a_client_says_on_a_websocket_is_heard(framed, wire, client):
    say(wire, "4one")
    wire.owner.received(masked(BINARY, b"two"))

    assert client.heard == ["one", b"two"]


@pytest.mark.parametrize("body", [b"abc", b"", b"0", b"6", b"4\xff", b"4a" + b"\x1e4a" * MAX_POSTED])
def test_a_post_that_is_no_protocol_ends_the_session(polling, client, body):
    with pytest.raises(BadPacket):
        polling.post(body)

    assert (client.heard, len(client.reasons), polling.sid in sessions) == ([], 1, False)


@pytest.mark.parametrize("text", ["abc", "", "0", "2", "6", "b!"])
def test_what_is_no_protocol_ends_a_websocket(framed, wire, client, text):
    say(wire, text, "4and on")

    assert (client.heard, len(client.reasons)) == ([], 1)
    assert wire.close() == Close(1002, "")


def test_a_message_that_is_not_understood_ends_the_session(framed, wire, client):
    say(wire, "4bad", "4and on")

    assert (client.heard, client.reasons) == (["bad"], ["not what was agreed"])


def test_two_polls_at_once_end_the_session(polling, client):
    first = polling_in_vain(polling)

    with pytest.raises(Conflict):
        polling.poll()

    # Nobody's client does that, and here the specification wants a goodbye.
    assert first.get(timeout=10) == "1"
    assert client.reasons == ["polled twice at once"]


def test_two_posts_at_once_end_the_session(polling, client):
    client.busy = True
    first = gevent.spawn(polling.post, b"4one")
    wait_for(lambda: client.heard, "the first")

    with pytest.raises(Conflict):
        polling.post(b"4two")

    first.get(timeout=10)
    assert (client.heard, client.reasons) == (["one"], ["posted twice at once"])


def test_a_post_is_answered_when_the_receivers_have_caught_up(polling, client):
    client.busy = True
    posting = gevent.spawn(polling.post, b"4one")
    wait_for(lambda: client.heard, "it")
    polling.resume()  # another namespace's receivers have, and these have not
    gevent.sleep(0)
    assert not posting.dead

    client.busy = False
    polling.resume()

    posting.get(timeout=10)
    polling.post(b"4two")
    assert client.heard == ["one", "two"]


def test_a_websocket_is_not_read_from_while_the_receivers_are_behind(framed, wire, client):
    framed.pause()
    assert wire.paused
    client.busy = True
    framed.resume()
    assert wire.paused

    client.busy = False
    framed.resume()
    assert not wire.paused


# From polling to a WebSocket


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


# What a backlog asks


def test_what_waits_for_a_polling_client_is_drained_by_its_polls(polling):
    drained = []
    polling.send("x")
    assert polling.outbox_size == 2
    polling.when_drained(lambda: drained.append(polling.outbox_size))

    polling.poll()
    assert drained == [0]
    polling.send("y")
    polling.poll()
    assert drained == [0]


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


def test_on_a_websocket_its_own_outbox_counts(framed, wire):
    drained = []
    wire.outbox_size = 5
    framed.when_drained(lambda: drained.append(1))

    assert (framed.outbox_size, framed.is_open) == (5, True)
    wire.drain()
    assert drained == [1]


# The heartbeat


def test_a_client_is_pinged_when_it_is_time(polling):
    now = monotonic()

    assert 24 < polling.tick(now) <= 25
    assert polling.outbox_size == 0
    assert 18 < polling.tick(now + 26) <= 19
    assert polling.poll() == "2"


def test_a_pong_keeps_it_and_no_pong_does_not(polling, client):
    now = monotonic()
    polling.tick(now + 26)
    polling.post(b"3")
    polling.tick(now + 46)
    assert client.reasons == []

    polling.tick(now + 51)
    assert polling.tick(now + 71) is None
    assert client.reasons == ["did not answer a ping"]


def test_a_pong_that_nobody_asked_for_proves_nothing(framed, wire, client):
    now = monotonic()
    say(wire, *["3"] * 5)
    framed.tick(now + 26)

    framed.tick(now + 46)
    assert client.reasons == ["did not answer a ping"]


def test_who_is_not_read_from_is_not_blamed_and_has_its_time_afterwards(framed, client):
    now = monotonic()
    framed.tick(now + 26)
    client.busy = True
    framed.tick(now + 60)
    client.busy = False

    assert 0 < framed.tick(now + 79) <= 1
    assert client.reasons == []
    framed.tick(now + 81)
    assert client.reasons == ["did not answer a ping"]


def test_a_session_is_over_to_the_moment(node, client, monkeypatch):
    session = Session(node, "")
    session.begin(client)
    assert session.is_alive()
    now = monotonic()
    monkeypatch.setattr("realtime_wall.transports.engineio.monotonic", lambda: now + 45.1)

    assert not session.is_alive()
    assert session.sid not in sessions


def test_who_owes_us_something_for_too_long_is_cut_off(polling, client):
    now = monotonic()
    client.deadline = now + 3

    assert 0 < polling.tick(now) <= 3
    assert polling.tick(now + 3) is None
    assert client.reasons == ["did not send in time what was expected"]


# The end


def test_a_client_that_says_goodbye_is_gone(polling, client):
    waiting = polling_in_vain(polling)

    polling.post(b"1\x1e4and on")

    assert waiting.get(timeout=10) == "6"
    assert (client.heard, client.reasons) == ([], ["closed by the client"])


def test_a_last_poll_that_was_overtaken_by_the_goodbye_is_answered(polling, client):
    polling.post(b"1")

    assert polling.is_alive()
    with pytest.raises(Conflict):
        polling.post(b"4still here")
    assert polling.poll() == "6"
    assert not polling.is_alive()
    assert (client.heard, client.reasons) == ([], ["closed by the client"])


def test_it_is_not_waited_for_for_long(polling):
    polling.post(b"1")

    assert polling.due > 0
    assert polling.tick(monotonic()) is None
    assert not polling.is_alive()


def test_a_goodbye_of_ours_is_fetched_by_the_poll_that_waits(polling, client):
    waiting = polling_in_vain(polling)

    polling.close(1001, "we stop")

    assert waiting.get(timeout=10) == "6"
    assert client.reasons == ["we stop"]
    assert polling.sid not in sessions


def test_a_websocket_is_closed_with_the_code(framed, wire, client):
    framed.close(1001, "we stop")

    assert wire.close() == Close(1001, "we stop")
    wire.owner.received(masked(8, b"\x03\xe9"))
    assert client.reasons == ["closed by the client"]


def test_a_lost_websocket_ends_the_session_once(framed, wire, client):
    wire.abort("reset")
    framed.end("again")

    assert client.reasons == ["reset"]
    assert framed.tick(monotonic()) is None


def test_to_cut_off_is_to_say_nothing(framed, wire, client):
    framed.abort("enough")

    assert (wire.close(), wire.ended, client.reasons) == (None, "enough", ["enough"])


def test_the_end_frees_whoever_waits(node, client, polling):
    client.busy = True
    posting = gevent.spawn(polling.post, b"4one")
    waiting = polling_in_vain(polling)
    wait_for(lambda: client.heard, "the post")

    client.busy = False
    polling.abort("cut off")

    posting.get(timeout=10)
    assert waiting.get(timeout=10) == "6"


def test_a_trial_ends_with_its_session(polling, wire):
    polling.offer(wire, b"")

    polling.end("over")

    assert wire.ended == "over"


def test_a_session_that_ended_in_a_message_hears_no_more_of_it(polling, client):
    client.while_hearing = lambda: polling.end("enough")

    polling.post(b"4one\x1e4two")

    assert client.heard == ["one"]
