import json
from time import monotonic

import gevent
import pytest

from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.transports.engineio.polling import TooMuch
from realtime_wall.transports.engineio.session import EngineSession, sessions
from realtime_wall.wire.connection import SENT, Wire
from realtime_wall.wire.turns import Turns
from tests.fakes import masked, running_node
from tests.live import wait_for
from tests.transports.engineio.client import BINARY, TEXT, polling_in_vain, say, written

# The beginning


def test_a_polling_client_is_told_its_id_its_heartbeat_and_that_it_may_change_over(node, client):
    session = EngineSession(node, "")
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
    EngineSession(node, "", wire).begin(client, masked(TEXT, "4early"))

    (hello,) = written(wire)
    assert json.loads(hello[1:])["upgrades"] == []
    assert client.heard == ["early"]


# Sending and hearing


def test_on_a_websocket_texts_and_bytes_are_frames(framed, wire):
    assert framed.send("text") is SENT
    framed.send(b"bytes")

    assert wire.frames() == [(TEXT, b"4text"), (BINARY, b"bytes")]


def test_what_a_client_says_on_a_websocket_is_heard(framed, wire, client):
    say(wire, "4one")
    wire.owner.received(masked(BINARY, b"two"))

    assert client.heard == ["one", b"two"]


@pytest.mark.parametrize("text", ["abc", "", "0", "2", "6", "b!"])
def test_what_is_no_protocol_ends_a_websocket(framed, wire, client, text):
    say(wire, text, "4and on")

    assert (client.heard, len(client.reasons)) == ([], 1)
    assert wire.close() == Close(1002, "")


def test_a_message_that_is_not_understood_ends_the_session(framed, wire, client):
    say(wire, "4bad", "4and on")

    assert (client.heard, client.reasons) == (["bad"], ["not what was agreed"])


def test_a_websocket_is_not_read_from_while_the_receivers_are_behind(framed, wire, client):
    framed.pause()
    assert wire.paused
    client.busy = True
    framed.resume()
    assert wire.paused

    client.busy = False
    framed.resume()
    assert not wire.paused


# What a backlog asks


def test_on_a_websocket_its_own_outbox_counts(framed, wire):
    drained = []
    wire.outbox_size = 5
    framed.when_drained(lambda: drained.append(1))

    assert (framed.outbox_size, framed.is_open) == (5, True)
    wire.drain()
    assert drained == [1]


# The requests of a polling client


def test_a_post_of_many_packets_lets_others_have_their_turns(polling, client, monkeypatch):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    posting = gevent.spawn(polling.post, b"\x1e".join([b"4one"] * 20))
    gevent.sleep(0)
    gevent.sleep(0)
    assert len(client.heard) < 5

    posting.get(timeout=10)
    assert client.heard == ["one"] * 20


@pytest.fixture
def strict_node():
    with running_node(frame_rate=100, frame_burst=20) as node:
        yield node


def test_who_posts_more_than_the_rate_waits_for_the_answer(strict_node, client):
    session = EngineSession(strict_node, "")
    session.begin(client)
    posting = gevent.spawn(session.post, b"\x1e".join([b"4one"] * 25))
    gevent.sleep(0)
    assert client.heard == []

    posting.get(timeout=10)
    assert client.heard == ["one"] * 25


def test_who_posts_far_more_at_once_is_refused_and_none_of_it_is_heard(strict_node, client):
    session = EngineSession(strict_node, "")
    session.begin(client)
    with pytest.raises(TooMuch, match="too much: FRAME_RATE"):
        session.post(b"\x1e".join([b"4one"] * 50))

    assert client.heard == []
    assert client.reasons == ["too much: FRAME_RATE"]
    assert session.sid not in sessions


def test_an_upgrade_takes_along_what_the_client_has_spent(node, client, wire):
    session = EngineSession(node, "")
    session.begin(client)
    account = session.account
    session.offer(wire, masked(TEXT, "2probe") + masked(TEXT, "5"))

    assert session.frames.account is session.account is account


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
    session = EngineSession(node, "")
    session.begin(client)
    assert session.is_alive()
    now = monotonic()
    monkeypatch.setattr("realtime_wall.transports.engineio.session.monotonic", lambda: now + 45.1)

    assert not session.is_alive()
    assert session.sid not in sessions


def test_who_owes_us_something_for_too_long_is_cut_off(polling, client):
    now = monotonic()
    client.deadline = now + 3

    assert 0 < polling.tick(now) <= 3
    assert polling.tick(now + 3) is None
    assert client.reasons == ["did not send in time what was expected"]


# The end


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


def test_a_session_that_ended_in_a_message_hears_no_more_of_it(polling, client):
    client.while_hearing = lambda: polling.end("enough")

    polling.post(b"4one\x1e4two")

    assert client.heard == ["one"]
