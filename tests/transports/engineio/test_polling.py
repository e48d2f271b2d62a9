from time import monotonic

import gevent
import pytest

from realtime_wall.protocol.engineio import MAX_PACKETS, BadPacket
from realtime_wall.transports.engineio.polling import Conflict
from realtime_wall.transports.engineio.session import sessions
from realtime_wall.wire.connection import DROPPED, QUEUED, Wire
from realtime_wall.wire.turns import Turns
from tests.live import wait_for
from tests.transports.engineio.client import polling_in_vain


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


def test_what_a_client_posts_is_heard_in_order(polling, client):
    polling.post(b"4one\x1ebdHdv\x1e4three")

    assert client.heard == ["one", b"two", "three"]


@pytest.mark.parametrize("body", [b"abc", b"", b"0", b"6", b"4\xff", b"4a" + b"\x1e4a" * 1000])
def test_a_post_that_is_no_protocol_ends_the_session(polling, client, body):
    with pytest.raises(BadPacket):
        polling.post(body)

    assert (client.heard, len(client.reasons), polling.sid in sessions) == ([], 1, False)


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


@pytest.mark.threat("S19")
def test_the_packets_of_a_post_are_read_and_handled_in_turns(polling, monkeypatch):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    loop = gevent.get_hub().loop
    before = loop.iteration

    gevent.spawn(polling.post, b"\x1e".join([b"4a"] * 10)).get(timeout=10)

    assert loop.iteration - before >= 19  # of twenty turns the first may have been at once
