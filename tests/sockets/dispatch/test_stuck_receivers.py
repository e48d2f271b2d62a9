from time import monotonic

import gevent
import pytest
from gevent.event import Event

from realtime_wall.sockets.dispatch.inbox import Inbox, Pool
from realtime_wall.sockets.dispatch.stuck_receivers import Abandoned, StuckReceivers
from tests.live import LiveServer, wait_for


class Source:
    def pause(self): ...
    def resume(self): ...


class Desk:
    """A pool with few places, and who looks after it."""

    def __init__(self, size=1, grace=30.0):
        self.pool = Pool(size, 64)
        self.stuck = StuckReceivers(self.pool, 60.0, grace)
        self.ended = []

    def inbox(self):
        return Inbox(self.pool, Source())

    def wait_for_ever(self):
        try:
            Event().wait()
        except Abandoned as problem:
            self.ended.append(problem)

    def look(self, after):
        """As the timer wheel does, so many seconds from now."""
        self.stuck.tick(monotonic() + after)
        gevent.sleep(0)


@pytest.fixture
def desk():
    return Desk()


def hang(desk):
    inbox = desk.inbox()
    inbox.put(desk.wait_for_ever)
    gevent.sleep(0)
    return inbox


def test_one_that_does_not_return_is_named_once_with_where_it_waits(desk, caplog):
    hang(desk)
    desk.look(59)
    assert (caplog.text, desk.stuck.count) == ("", 0)

    desk.look(61)
    desk.look(62)

    assert caplog.text.count("a receiver has not returned for 61 s") == 1
    assert "in wait_for_ever" in caplog.text
    assert desk.stuck.count == 1


def test_a_full_pool_is_mentioned_once(desk, caplog):
    hang(desk)
    desk.look(1)
    assert caplog.text == ""
    for _ in range(2):
        desk.inbox().put(lambda: None)
        desk.look(1)

    assert caplog.text.count("all 1 places for receivers are taken, and 1 sockets wait for one") == 1


def test_one_whose_client_is_gone_gives_its_place_to_who_waits(desk):
    ran = []
    gone = hang(desk)
    gone.put(lambda: ran.append("its next"))
    desk.inbox().put(lambda: ran.append("somebody else"))
    gone.abandoned_at = monotonic()

    desk.look(29)
    assert desk.ended == []
    desk.look(31)

    wait_for(lambda: sorted(ran) == ["its next", "somebody else"])
    assert len(desk.ended) == 1
    assert desk.pool.wait_until_idle(10)


@pytest.mark.parametrize("why", ["nobody waits", "its client is there", "its client is back", "it may stay"])
def test_otherwise_it_keeps_its_place(why):
    desk = Desk(grace=0.0 if why == "it may stay" else 30.0)
    inbox = hang(desk)
    if why != "nobody waits":
        desk.inbox().put(lambda: None)
    if why != "its client is there":
        inbox.abandoned_at = monotonic()
    if why == "its client is back":
        inbox.continue_for(Source())

    desk.look(1000)

    assert desk.ended == []


def test_what_runs_for_somebody_who_is_gone_has_its_time_from_its_beginning(desk):
    inbox = desk.inbox()
    inbox.abandoned_at = monotonic() - 1000
    inbox.put(desk.wait_for_ever)
    gevent.sleep(0)
    desk.inbox().put(lambda: None)

    desk.look(1)

    assert desk.ended == []


def test_a_server_whose_pool_is_full_of_clients_that_have_gone_serves_the_next():
    settings = {"RECEIVER_POOL": 2, "ABANDONED_RECEIVER": 0.2, "STUCK_RECEIVER": 0.2}
    with LiveServer(settings=settings) as server:
        for _ in range(2):
            with server.client() as client:
                client.tell({"type": "wait", "message": 1000})
                client.tell({"type": "seen"})
        with server.client() as client:
            assert client.ask("add", [1, 2]) == 3
        server.wait_for_log("a receiver has not returned", 1)
        server.wait_for_log("its client has been gone for", 1)
