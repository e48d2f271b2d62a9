import gevent
import pytest
from gevent.event import Event

from realtime_wall import signals
from realtime_wall.channels.position import Position
from realtime_wall.sockets.recovery.detached_sessions import GIVING, DetachedSession, DetachedSessions
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import PATIENCE


class RecordingTimerWheel:
    def __init__(self):
        self.appointments = []

    def schedule(self, what, delay):
        what.due = 1
        self.appointments.append((what, delay))


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node() as node:
        yield node


@pytest.fixture
def lot():
    return DetachedSessions(RecordingTimerWheel(), 120.0)


@pytest.fixture
def told(node):
    """The sockets whose visits are over."""
    told = []
    signals.socket_finished.connect(lambda sender, request: told.append(sender), weak=False)
    return told


def detached(lot, node, secret="secret", owner="owner"):
    position = Position("e", 1)
    session = RecordingTransport(node).session
    one = DetachedSession(lot, secret, owner, session, ("room",), position, position, SubscribeAcks())
    lot.detach(one)
    return one


def test_a_parked_visit_is_taken_once_by_its_visitor(lot, node, told):
    one = detached(lot, node)

    assert lot.take("secret", "owner") is one
    assert one.due == 0  # its time is no longer limited
    assert lot.take("secret", "owner") is None
    assert told == []


@pytest.mark.parametrize(("secret", "owner"), [("wrong", "owner"), ("secret", "stranger"), ("", "owner")])
def test_nobody_else_can_take_it(lot, node, secret, owner):
    one = detached(lot, node)

    assert lot.take(secret, owner) is None
    assert lot.take("secret", "owner") is one


def test_what_nobody_takes_in_time_is_over(lot, node, told):
    one = detached(lot, node)
    assert lot._timer_wheel.appointments == [(one, 120.0)]

    one.tick(0.0)
    assert node.pool.wait_until_idle(10)

    assert told == [one.session.socket]
    assert lot.take("secret", "owner") is None


def test_a_connection_that_looks_alive_is_cut_off_when_its_client_comes_back(lot, node):
    lot.arrive("secret", "owner", lambda: detached(lot, node))

    taken = lot.take("secret", "owner")

    assert taken.secret == "secret"
    assert lot.take("secret", "owner") is None


def test_a_stranger_cuts_off_nobody(lot):
    cut = []
    lot.arrive("secret", "owner", lambda: cut.append(1))

    assert lot.take("secret", "stranger") is None
    assert cut == []


def test_who_left_for_good_is_forgotten(lot):
    cut = []
    lot.arrive("secret", "owner", lambda: cut.append(1))
    lot.forget("secret")
    lot.forget("secret")

    assert lot.take("secret", "owner") is None
    assert cut == []


def test_a_visit_that_is_given_away_is_not_over_once_it_has_come(lot, node, told):
    one = detached(lot, node)

    assert lot.knows("secret")
    assert lot.give("secret", "owner") is one
    assert lot._timer_wheel.appointments[-1] == (one, GIVING)
    assert not lot.knows("secret")
    assert lot.take("secret", "owner") is None
    lot.has_come("secret")
    lot.has_come("secret")
    lot.close()

    assert (one.due, told) == (0, [])


def test_one_that_never_comes_is_over(lot, node, told):
    one = detached(lot, node)
    lot.give("secret", "owner")

    one.tick(0.0)
    assert node.pool.wait_until_idle(10)
    lot.has_come("secret")

    assert told == [one.session.socket]


def test_only_what_is_here_and_this_visitors_is_given_away(lot, node):
    detached(lot, node)

    assert lot.give("wrong", "owner") is None
    assert lot.give("secret", "stranger") is None
    assert lot.knows("secret")


def test_without_a_secret_nobody_is_remembered(lot):
    cut = []
    lot.arrive("", "owner", lambda: cut.append(1))

    assert lot.take("", "owner") is None
    assert cut == []


def test_when_the_server_ends_all_visits_are_over(lot, node, told):
    both = {detached(lot, node, secret).session.socket for secret in ("one", "two")}

    lot.close()
    assert node.pool.wait_until_idle(10)

    assert set(told) == both
    assert len(told) == 2


def test_a_server_that_ends_waits_until_its_visits_go_on_elsewhere(lot, node):
    visits = [detached(lot, node, secret) for secret in ("given", "over", "left")]
    waiting = gevent.spawn(lot.wait_until_taken, visits, 60.0, Event())
    lot.give("given", "owner")
    lot.leave(visits[1])
    gevent.sleep(0)
    lot.has_come("given")
    assert not waiting.ready()

    lot.take("left", "owner")
    waiting.join(PATIENCE)
    assert waiting.ready()


def test_it_waits_for_a_while_only_and_not_when_it_is_to_hurry(lot, node):
    visits, hurry = [detached(lot, node)], Event()
    lot.wait_until_taken(visits, 0.001, hurry)
    waiting = gevent.spawn(lot.wait_until_taken, visits, 60.0, hurry)
    gevent.sleep(0)
    hurry.set()
    waiting.join(PATIENCE)

    assert waiting.ready()
    assert lot.take("secret", "owner") is visits[0]


@pytest.mark.parametrize("how", ["detach", "arrive"])
def test_a_visit_that_comes_back_from_where_it_was_given_to_is_not_over(lot, node, told, how):
    given = detached(lot, node)
    lot.give("secret", "owner")
    if how == "detach":
        again = detached(lot, node)
        assert lot.take("secret", "owner") is again
    else:
        lot.arrive("secret", "owner", lambda: None)

    assert given.due == 0  # the other server need not say that it had it
    lot.close()
    assert node.pool.wait_until_idle(10)
    assert told == []
