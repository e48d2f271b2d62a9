"""What a worker and its supervisor send each other."""

import signal
import socket
from types import SimpleNamespace

import gevent
import pytest
from gevent.event import Event

from realtime_wall.server.workers import worker
from realtime_wall.server.workers.worker import SupervisorLink, WorkerPlace
from tests.live import PATIENCE, wait_for


@pytest.fixture
def supervisor():
    """The supervisor's end of a link that has begun."""
    ours, theirs = socket.socketpair()
    link = SupervisorLink(WorkerPlace(1, link=theirs.detach()))
    link.start()
    with ours, ours.makefile("rb") as lines:
        yield SimpleNamespace(link=link, end=ours, lines=lines)
    link.stop()


def test_a_place_is_taken_once_and_is_the_one_that_was_given():
    ours, theirs = socket.socketpair()
    environ = {"HOME": "/"}
    place = WorkerPlace(2, supervisor=77, link=ours.fileno(), checks=worker.ALOUD, watches_files=True)
    place.write(environ)
    ours.set_inheritable(True)

    with ours, theirs:
        assert worker.take_place(environ) == place
        assert not ours.get_inheritable()
    assert environ == {"HOME": "/"}
    assert worker.take_place(environ) is None


def test_it_beats_while_the_event_loop_turns(supervisor):
    assert [supervisor.lines.readline() for _ in range(3)] == [b"beat\n"] * 3


def test_it_says_when_it_serves_and_what_has_changed(supervisor):
    supervisor.link.ready()
    supervisor.link.changed("/srv/site/views.py")

    said = {supervisor.lines.readline() for _ in range(4)}
    assert {b"ready\n", b"changed /srv/site/views.py\n"} <= said


def test_it_hears_how_many_leave_together(supervisor):
    supervisor.end.sendall(b"leaving 4\n")

    wait_for(lambda: supervisor.link.leaving == 4)


def test_it_hears_whose_clients_it_has_to_accept_however_the_line_arrives(supervisor):
    told = []
    supervisor.link.on_cover = told.append

    supervisor.end.sendall(b"cover 5 7\ncov")
    wait_for(lambda: told == [{5, 7}])
    supervisor.end.sendall(b"er \n")

    wait_for(lambda: told == [{5, 7}, set()])


def test_a_supervisor_that_does_not_listen_harms_nobody(supervisor):
    for _ in range(10_000):
        supervisor.link.changed("x" * 100)

    # Nothing was raised, and when it listens again it hears us.
    assert next(line for line in supervisor.lines if line == b"beat\n")


def test_when_the_supervisor_is_gone_it_leaves_as_if_told(supervisor):
    told = Event()
    watcher = gevent.signal_handler(signal.SIGTERM, told.set)

    supervisor.lines.close()
    supervisor.end.close()

    try:
        assert told.wait(PATIENCE)
    finally:
        watcher.cancel()
