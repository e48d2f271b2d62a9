import gevent
from gevent.event import Event

from realtime_wall.node.introspection import health
from tests.fakes import RecordingTransport, running_node


def test_a_server_that_takes_connections_is_well():
    with running_node() as node:
        RecordingTransport(node)
        status, state = health.state()

    assert (status, state["status"], state["sockets"]) == (200, "ok", 1)


def test_one_that_stops_is_not():
    with running_node() as node:
        node.stopping = True
        assert health.state()[0] == 503


def test_where_no_server_is_it_says_so():
    assert health.state() == (503, {"status": "no live server", "sockets": 0})


def test_it_tells_how_many_receivers_run_and_wait():
    end = Event()
    with running_node(receiver_pool=1) as node:
        for _ in range(3):
            RecordingTransport(node).session.inbox.put(end.wait)
        gevent.sleep(0)
        receivers = health.state()[1]["receivers"]
        end.set()

    assert receivers == {"running": 1, "places": 1, "waiting": 2, "stuck": 0}
