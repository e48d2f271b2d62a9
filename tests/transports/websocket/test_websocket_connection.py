from time import monotonic

import gevent
import pytest

from realtime_wall import api, signals
from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.websocket import lingering_close, websocket_connection
from realtime_wall.wire.connection import DROPPED, LARGE_READ_SIZE, QUEUED, READ_SIZE, SENT
from realtime_wall.wire.timer_wheel import PER_SECOND
from tests.fakes import masked, running_node, text
from tests.live import wait_for
from tests.transports.websocket.client import BINARY, CLOSE, PING, PONG, TEXT, Visitor, connect

# The handshake


def test_its_answer_leaves_together_with_the_welcome(node, monkeypatch):
    visitor, writes = Visitor(node), []
    write = visitor.wire.write
    monkeypatch.setattr(visitor.wire, "write", lambda data: writes.append(data) or write(data))
    visitor.wire.head = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"

    visitor.begin()

    assert len(writes) == 1
    assert writes[0].startswith(b"HTTP/1.1 101")
    assert b'"welcome"' in writes[0]


# Frames that are no text


@pytest.mark.threat("S10")
def test_each_ping_is_answered_in_order_and_those_of_one_read_leave_together(visitor):
    visitor.wire.owner.received(masked(PING, b"one") + masked(PING, b"two"))
    visitor.wire.owner.received(masked(PING, b"three"))
    assert visitor.wire.frames()[1:] == []

    wait_for(lambda: len(visitor.wire.frames()) > 1)
    assert visitor.wire.frames()[1:] == [(PONG, b"one"), (PONG, b"two"), (PONG, b"three")]


def test_a_ping_inside_a_message_is_answered_before_it(visitor):
    start, end = masked(1, b'{"type": "heartbeat", ')[1:], masked(0, b'"id": 1}')
    visitor.wire.owner.received(b"\x01" + start + masked(PING, b"between") + end)

    assert visitor.wire.frames()[1] == (PONG, b"between")
    assert visitor.wire.texts()[-1]["type"] == "ack"


# Budgets


def flood(visitor, count, frame=None):
    visitor.wire.owner.received((frame or masked(PONG, b"")) * count)


@pytest.mark.threat("S63")
def test_who_sends_more_than_the_rate_is_read_from_more_slowly():
    with running_node(frame_rate=1000, frame_burst=100) as node:
        visitor = Visitor(node).begin()
        visitor.settle()
        flood(visitor, 90)
        assert not visitor.wire.paused
        flood(visitor, 50)

        assert visitor.wire.paused
        assert not visitor.wire.is_ended
        wait_for(lambda: not visitor.wire.paused)
        assert node.refused == 0


@pytest.mark.threat("S63")
@pytest.mark.parametrize("frame", [masked(PONG, b""), masked(PING, b""), text("hello")], ids=str)
def test_who_sends_far_more_at_once_is_closed_and_heard_no_more(frame, told, caplog):
    with running_node(frame_rate=10, frame_burst=10) as node:
        visitor = Visitor(node).begin()
        visitor.settle()
        flood(visitor, 30, frame)
        visitor.settle()

        assert visitor.wire.close() == Close(1008, "too much: FRAME_RATE")
        assert visitor.wire.is_ended
        flood(visitor, 30, frame)
        assert told == [("connected",)]
        assert node.refused == 1
        (record,) = [one for one in caplog.records if "1008" in one.getMessage()]
        assert visitor.transport.session.log_id in record.getMessage()


def test_each_fragment_counts():
    with running_node(frame_rate=10, frame_burst=10) as node:
        visitor = Visitor(node).begin()
        visitor.wire.owner.received(b"\x01" + masked(TEXT, b"a")[1:] + masked(0, b"a", fin=False) * 29)

        assert visitor.wire.close() == Close(1008, "too much: FRAME_RATE")


@pytest.mark.threat("S66")
@pytest.mark.parametrize(
    ("settings", "values", "reason"),
    [
        ({"event_rate": 1.0}, ["hello"] * 11 + [{"type": "x"}] * 10, "too much: EVENT_RATE"),
        ({"event_rates": {"typing": 1}}, [{"type": "typing"}] * 21, "too much: EVENT_RATES['typing']"),
        ({"subscribe_rate": 1.0}, [{"type": "subscribe", "channel": "a"}] * 21, "too much: SUBSCRIBE_RATE"),
        ({"subscribe_rate": 1.0}, [{"type": "unsubscribe", "channel": "a"}] * 21, "too much: SUBSCRIBE_RATE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_events_and_subscribes_have_budgets_of_their_own(settings, values, reason):
    with running_node(**settings) as node:
        visitor = Visitor(node).begin()
        visitor.say(*values)
        assert visitor.wire.close() is None
        flood(visitor, 16)
        visitor.settle()

        assert visitor.wire.close() == Close(1008, reason)


def test_what_receivers_take_of_our_time_counts(monkeypatch):
    with running_node(cpu_rate=0.01) as node:
        connect(signals.socket_client_message, lambda socket, message, **_: sum(range(3_000_000)))
        visitor = Visitor(node).begin()
        visitor.say(*["hello"] * 10)
        visitor.settle()
        flood(visitor, 16)

        assert visitor.wire.close() == Close(1008, "too much: CPU_RATE")


def test_who_is_refused_is_seen_to_hang_up_and_not_waited_for_when_he_sends_on():
    with running_node(frame_rate=10, frame_burst=10) as node:
        patient, stubborn = Visitor(node).begin(), Visitor(node).begin()
        for visitor in (patient, stubborn):
            flood(visitor, 30)
        assert not patient.wire.paused
        patient.wire.abort("closed by the client")
        assert patient.socket not in connected_sockets

        stubborn.wire.owner.received(b"x" * lingering_close.MOST)
        assert stubborn.wire.is_open
        stubborn.wire.owner.received(b"x")
        assert not stubborn.wire.is_open
        assert stubborn.socket not in connected_sockets


def test_bytes_count_whatever_they_are():
    with running_node(byte_rate=1000, byte_burst=1000) as node:
        visitor = Visitor(node).begin()
        visitor.wire.owner.received(masked(TEXT, b"x" * 60_000)[:1500])

        assert visitor.wire.paused


def test_much_is_read_at_once_only_inside_a_large_frame(visitor):
    large = masked(TEXT, b"x" * 100_000)
    for arrives, then in (
        (masked(PING), READ_SIZE),
        (large[:5000], LARGE_READ_SIZE),
        (large[5000:-6000], 6000),
        (large[-6000:], READ_SIZE),
        (b"\x01" + masked(TEXT, b"begun")[1:], READ_SIZE),
    ):
        visitor.wire.owner.received(arrives)
        assert visitor.wire.read_size == then
    gevent.sleep(0)  # the large one is read in a greenlet
    visitor.settle()


def test_what_a_receiver_resumes_stays_slowed_down():
    with running_node(frame_rate=10, frame_burst=20) as node:
        visitor = Visitor(node).begin()
        visitor.transport.pause()
        flood(visitor, 25)
        visitor.transport.resume()

        assert visitor.wire.paused


@pytest.mark.threat("S04")
def test_a_message_that_is_never_finished_ends_the_connection(monkeypatch):
    with running_node(message_timeout=5) as node:
        visitor = Visitor(node).begin()
        visitor.wire.owner.received(b"\x01" + masked(TEXT, b"begun")[1:])
        assert visitor.wire.close() is None
        later = monotonic() + 6
        monkeypatch.setattr(websocket_connection, "monotonic", lambda: later)
        visitor.wire.owner.received(masked(PONG, b""))

        assert visitor.wire.close() == Close(1008, "too slow: MESSAGE_TIMEOUT")


def test_a_message_that_is_finished_may_be_followed_by_a_slow_one(monkeypatch):
    with running_node(message_timeout=5) as node:
        visitor = Visitor(node).begin()
        part = b"\x01" + masked(TEXT, b"begun")[1:]
        now = monotonic()
        for seconds in (0, 4, 8):
            monkeypatch.setattr(websocket_connection, "monotonic", lambda at=now + seconds: at)
            visitor.wire.owner.received(part + masked(0, b"") + part)
            visitor.wire.owner.received(masked(0, b""))

        assert visitor.wire.close() is None


def test_bytes_are_refused(visitor, told):
    visitor.wire.owner.received(masked(BINARY, b"bytes") + text("behind it"))
    visitor.settle()

    assert visitor.wire.close() == Close(1003, "this endpoint reads text")
    assert told == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02hi", 1002),
        (masked(3), 1002),
        (masked(0, b"a"), 1002),
        (masked(TEXT, b"\xff"), 1007),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(TEXT, b"x" * (1024 * 1024 + 1))[:14], 1009),
    ],
    ids=["unmasked", "reserved opcode", "continuation of nothing", "no UTF-8", "bad close", "too big"],
)
def test_who_breaks_the_protocol_is_told_how_and_is_heard_no_more(visitor, told, data, code, caplog):
    caplog.set_level("INFO")
    visitor.wire.owner.received(data)
    visitor.wire.owner.received(text("and on"))
    visitor.settle()

    assert visitor.wire.close().code == code
    assert visitor.wire.is_ended
    assert told == []
    (record,) = caplog.records
    assert visitor.transport.session.log_id in record.getMessage()
    assert str(code) in record.getMessage()


# The end


def test_a_client_that_says_goodbye_is_answered_and_gone(node, visitor, told):
    visitor.wire.owner.received(masked(CLOSE, b"\x0f\xa0bye"))
    visitor.settle()

    assert visitor.wire.close() == Close(4000, "")
    assert visitor.wire.ended == "closed by the client"
    assert told == [("disconnected",), ("finished",)]
    assert visitor.socket not in connected_sockets


def test_a_goodbye_without_a_code_is_answered_as_normal(visitor):
    visitor.wire.owner.received(masked(CLOSE))

    assert visitor.wire.close().code == 1000


def test_our_goodbye_waits_for_the_clients(visitor):
    visitor.socket.disconnect(4001, "enough")
    assert visitor.wire.is_open

    visitor.wire.owner.received(masked(CLOSE, b"\x0f\xa1"))

    assert [opcode for opcode, _ in visitor.wire.frames()] == [TEXT, CLOSE]
    assert visitor.wire.close() == Close(4001, "enough")
    assert not visitor.wire.is_open


def test_nothing_follows_our_goodbye(node, visitor, told):
    visitor.ask({"type": "subscribe", "channel": "room"})
    socket = visitor.socket
    socket.disconnect(4001, "enough")
    written = visitor.wire.written

    socket.disconnect(4002, "twice")
    socket.send("late")
    socket.emit("late")
    socket.ack(1)
    socket.subscribe("attic")
    visitor.wire.owner.received(masked(PING) + text({"type": "nonsense", "id": []}) + text("late"))
    receipts = [api.broadcast("late"), api.send(socket.id, "late"), api.broadcast_channel("late", "room")]
    visitor.settle()

    assert visitor.wire.written == written
    assert [(receipt.sockets, receipt.dropped) for receipt in receipts] == [(0, 1)] * 3
    assert ("client_message", "late") not in told


def test_a_code_that_cannot_be_sent_is_told_to_who_asked_and_changes_nothing(visitor):
    with pytest.raises(ValueError, match="999 is no code"):
        visitor.socket.disconnect(999, "")
    visitor.socket.send("still here")

    assert visitor.wire.texts()[-1]["message"] == "still here"


def test_a_paused_client_is_read_again_for_its_goodbye(visitor):
    visitor.transport.pause()
    assert visitor.wire.paused

    visitor.socket.disconnect()

    assert not visitor.wire.paused


@pytest.mark.threat("S68")
def test_what_arrived_together_with_the_loss_is_not_heard_after_it(visitor, told):
    visitor.wire.breaks = True
    visitor.say({"type": "subscribe", "id": 1}, "too late")  # the error cannot be written
    visitor.settle()

    assert told == [("disconnected",), ("finished",)]


def test_being_cut_off_asks_nobody(visitor, told):
    visitor.transport.abort("enough")
    visitor.settle()

    assert (visitor.wire.ended, visitor.wire.close()) == ("enough", None)
    assert told == [("disconnected",), ("finished",)]


def test_sending_tells_what_became_of_it(visitor):
    assert visitor.transport.send_event(None, Arguments("1"), None) is SENT
    visitor.wire.outbox_size = 1
    assert visitor.transport.send_event(None, Arguments("1"), None) is QUEUED
    visitor.wire.abort("reset")
    assert visitor.transport.send_event(None, Arguments("1"), None) is DROPPED


# Deadlines


def test_who_never_says_anything_counts_as_his_user_all_the_same(node, monkeypatch):
    monkeypatch.setattr(node.visitors, "_user_id_of", {}.get)
    visitor = Visitor(node).begin()
    visitor.frames.account.belongs_to("key")
    assert node.visitors.user_of("key") is None

    monkeypatch.setattr(node.visitors, "_user_id_of", {"key": "7"}.get)  # the store was asked meanwhile
    visitor.frames.tick(monotonic())

    assert node.visitors.user_of("key").connections == 1


def test_a_silent_client_is_pinged_and_one_that_stays_silent_is_cut(visitor, told):
    start = monotonic()
    assert visitor.frames.tick(start + 10) == pytest.approx(15, abs=1)
    assert visitor.frames.tick(start + 26) == 20
    assert visitor.wire.frames()[1:] == [(PING, b"")]

    assert visitor.frames.tick(start + 46) is None
    visitor.settle()

    assert visitor.wire.ended == "did not answer a ping"
    assert told == [("disconnected",), ("finished",)]


@pytest.mark.parametrize("answer", [masked(PONG), text("hello")], ids=["pong", "anything"])
def test_a_client_that_answers_a_ping_stays(visitor, answer):
    visitor.transport._frames._heard -= 26  # as if so much time had passed
    assert visitor.frames.tick(monotonic()) == 20
    visitor.wire.owner.received(answer)

    assert visitor.frames.tick(monotonic()) == pytest.approx(25, abs=1)
    visitor.transport._frames._heard -= 26
    assert visitor.frames.tick(monotonic()) == 20

    assert visitor.wire.is_open
    assert [opcode for opcode, _ in visitor.wire.frames()].count(PING) == 2


def test_a_pong_counts_when_the_time_to_answer_is_longer_than_the_interval():
    with running_node(ping_interval=5, ping_timeout=20) as node:
        visitor = Visitor(node).begin()
        start = monotonic()
        assert visitor.frames.tick(start + 6) == 20
        visitor.wire.owner.received(masked(PONG))

        assert visitor.frames.tick(start + 26) == 20

        assert visitor.wire.is_open


def test_a_client_that_we_do_not_read_is_not_blamed_for_its_silence(visitor):
    start = monotonic()
    visitor.frames.tick(start + 26)
    visitor.transport.session.inbox.paused = True

    assert visitor.frames.tick(start + 100) == 1.0

    assert visitor.wire.is_open
    visitor.transport.session.inbox.paused = False
    assert visitor.frames.tick(start + 101) == 20


def test_a_client_whose_outbox_does_not_move_is_cut(visitor):
    start = monotonic()
    visitor.wire.outbox_size, visitor.wire.progress = 10, start
    visitor.frames.tick(start + 29)
    assert visitor.wire.is_open

    assert visitor.frames.tick(start + 31) is None

    assert visitor.wire.ended == "stopped reading"


@pytest.mark.threat("S08")
def test_a_client_that_never_answers_our_goodbye_is_cut(visitor):
    visitor.socket.disconnect()
    # The closing has a deadline of its own, sooner than the ping's.
    assert visitor.frames.due / PER_SECOND <= monotonic() + visitor.node.config.close_timeout + 2

    assert visitor.frames.tick(monotonic()) is None

    assert visitor.wire.ended == "did not answer the close"


def test_a_client_is_looked_at_in_time_to_be_pinged(visitor):
    assert 0 < visitor.frames.due / PER_SECOND - monotonic() <= visitor.node.config.ping_interval + 2


def test_a_connection_that_is_gone_has_no_deadlines(visitor):
    visitor.wire.abort("reset")

    assert visitor.frames.due == 0
    assert visitor.frames.tick(monotonic()) is None


# Reading


def test_a_full_inbox_stops_the_reading_until_the_receivers_have_caught_up(node, visitor):
    gate = gevent.event.Event()
    connect(signals.socket_client_message, lambda *_, **__: gate.wait(10))
    visitor.say(*["more"] * (node.config.inbox_size + 2))
    assert visitor.wire.paused

    gate.set()
    visitor.settle()

    assert not visitor.wire.paused
