"""The answers to many events at once leave together, and none waits for nothing."""

import gevent
import pytest

from realtime_wall import signals
from tests.fakes import text
from tests.live import wait_for


def writes_of(visitor):
    """How many messages each write to the wire has."""
    writes, write = [], visitor.wire.write

    def counted(data):
        before = len(visitor.wire.frames())
        written = write(data)
        writes.append(len(visitor.wire.frames()) - before)
        return written

    visitor.wire.write = counted
    return writes


def burst(count):
    return b"".join(text({"type": "add", "message": [n], "id": n}) for n in range(count))


@pytest.fixture
def adds():
    def add(sender, event, **_):
        return sum(event.data)

    signals.socket_client_event_by_type["add"].connect(add)
    yield add


def test_the_answers_to_a_burst_leave_together_and_in_order(node, visitor, adds):
    writes = writes_of(visitor)

    visitor.wire.owner.received(burst(20))
    assert node.pool.wait_until_idle(10)

    assert visitor.wire.texts()[1:] == [{"type": "ack", "id": n, "message": n} for n in range(20)]
    assert len(writes) <= 3  # where the machine is busy, somebody else gets a turn in between


def test_the_answer_to_one_event_waits_for_nothing(node, visitor, adds):
    writes = writes_of(visitor)

    visitor.wire.owner.received(burst(1))
    assert node.pool.wait_until_idle(10)

    assert writes == [1]


def test_an_answer_does_not_wait_for_the_next_receiver(node, visitor, adds):
    hold = gevent.event.Event()
    signals.socket_client_event_by_type["wait"].connect(lambda *_, **__: hold.wait(10), weak=False)
    visitor.wire.owner.received(burst(3) + text({"type": "wait"}))

    wait_for(lambda: len(visitor.wire.texts()) == 4, "the answers")

    hold.set()


def test_what_is_sent_between_two_answers_stays_between_them(node, visitor):
    def tell(sender, event, **_):
        if event.data == 1:
            sender.emit("between")
        return event.data

    signals.socket_client_event_by_type["tell"].connect(tell, weak=False)
    visitor.wire.owner.received(b"".join(text({"type": "tell", "message": n, "id": n}) for n in range(3)))
    assert node.pool.wait_until_idle(10)

    assert [one.get("message") for one in visitor.wire.texts()[1:]] == [0, None, 1, 2]


def test_answers_leave_in_front_of_a_close(node, visitor, adds):
    def leave(sender, **_):
        sender.disconnect(3999, "enough")

    signals.socket_client_event_by_type["leave"].connect(leave)
    visitor.wire.owner.received(burst(2) + text({"type": "leave"}))
    assert node.pool.wait_until_idle(10)

    assert [opcode for opcode, _ in visitor.wire.frames()[1:]] == [1, 1, 8]
