import gevent
import pytest
from gevent.event import Event

from realtime_wall import signals
from realtime_wall.channels.position import Position
from realtime_wall.sockets.recovery.detached_sessions import (
    MIGRATION_TIMEOUT,
    DetachedSession,
    DetachedSessions,
)
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import PATIENCE


class RecordingTimerWheel:
    def __init__(self):
        self.appointments = []

    def schedule(self, what, delay):
        what.due = 1
        self.appointments.append((what, delay))


class Connection:
    def __init__(self, cut_off):
        self.cut_off = cut_off

    def abort(self, reason):
        self.cut_off()


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node() as node:
        yield node


@pytest.fixture
def sessions():
    return DetachedSessions(RecordingTimerWheel(), 120.0)


@pytest.fixture
def expired(node):
    """The sockets whose sessions have expired."""
    expired = []
    signals.socket_finished.connect(lambda sender, request: expired.append(sender), weak=False)
    return expired


def detached(sessions, node, secret="secret", owner="owner"):
    position = Position("e", 1)
    session = RecordingTransport(node).session
    welcome = Welcome(position)
    one = DetachedSession(
        sessions, secret, owner, session, ("room",), welcome, position, position, SubscribeAcks()
    )
    sessions.detach(one)
    return one


def test_a_detached_session_is_taken_once_by_its_visitor(sessions, node, expired):
    one = detached(sessions, node)

    assert sessions.take("secret", "owner") is one
    assert one.due == 0  # its time is no longer limited
    assert sessions.take("secret", "owner") is None
    assert expired == []


@pytest.mark.threat("S35")
@pytest.mark.parametrize(("secret", "owner"), [("wrong", "owner"), ("secret", "stranger"), ("", "owner")])
def test_nobody_else_can_take_it(sessions, node, secret, owner):
    one = detached(sessions, node)

    assert sessions.take(secret, owner) is None
    assert sessions.take("secret", "owner") is one


def test_what_nobody_takes_in_time_expires(sessions, node, expired):
    one = detached(sessions, node)
    assert sessions._timer_wheel.appointments == [(one, 120.0)]

    one.tick(0.0)
    assert node.pool.wait_until_idle(10)

    assert expired == [one.session.socket]
    assert sessions.take("secret", "owner") is None


def test_a_connection_that_looks_alive_is_cut_off_when_its_client_comes_back(sessions, node):
    sessions.attach("secret", "owner", Connection(lambda: detached(sessions, node)))

    taken = sessions.take("secret", "owner")

    assert taken.secret == "secret"
    assert sessions.take("secret", "owner") is None


@pytest.mark.threat("S35")
def test_a_stranger_cuts_off_nobody(sessions):
    cut = []
    sessions.attach("secret", "owner", Connection(lambda: cut.append(1)))

    assert sessions.take("secret", "stranger") is None
    assert cut == []


def test_who_left_for_good_is_forgotten(sessions):
    cut = []
    sessions.attach("secret", "owner", Connection(lambda: cut.append(1)))
    sessions.forget("secret")
    sessions.forget("secret")

    assert sessions.take("secret", "owner") is None
    assert cut == []


def test_a_session_that_migrates_does_not_expire_once_it_was_resumed_elsewhere(sessions, node, expired):
    one = detached(sessions, node)

    assert sessions.knows("secret")
    assert sessions.migrate("secret", "owner") is one
    assert sessions._timer_wheel.appointments[-1] == (one, MIGRATION_TIMEOUT)
    assert not sessions.knows("secret")
    assert sessions.take("secret", "owner") is None
    sessions.migrated("secret")
    sessions.migrated("secret")
    sessions.close()

    assert (one.due, expired) == (0, [])


def test_one_that_is_never_resumed_elsewhere_expires(sessions, node, expired):
    one = detached(sessions, node)
    sessions.migrate("secret", "owner")

    one.tick(0.0)
    assert node.pool.wait_until_idle(10)
    sessions.migrated("secret")

    assert expired == [one.session.socket]


def test_only_what_is_here_and_this_visitors_migrates(sessions, node):
    detached(sessions, node)

    assert sessions.migrate("wrong", "owner") is None
    assert sessions.migrate("secret", "stranger") is None
    assert sessions.knows("secret")


def test_without_a_secret_nobody_is_remembered(sessions):
    cut = []
    sessions.attach("", "owner", Connection(lambda: cut.append(1)))

    assert sessions.take("", "owner") is None
    assert cut == []


def test_when_the_server_ends_all_sessions_expire(sessions, node, expired):
    both = {detached(sessions, node, secret).session.socket for secret in ("one", "two")}

    sessions.close()
    assert node.pool.wait_until_idle(10)

    assert set(expired) == both
    assert len(expired) == 2


def test_a_server_that_ends_waits_until_its_sessions_are_resumed_elsewhere(sessions, node):
    visits = [detached(sessions, node, secret) for secret in ("given", "over", "left")]
    waiting = gevent.spawn(sessions.wait_until_taken, visits, 60.0, Event())
    sessions.migrate("given", "owner")
    sessions.expire(visits[1])
    gevent.sleep(0)
    sessions.migrated("given")
    assert not waiting.ready()

    sessions.take("left", "owner")
    waiting.join(PATIENCE)
    assert waiting.ready()


def test_it_waits_for_a_while_only_and_not_when_it_is_to_hurry(sessions, node):
    visits, hurry = [detached(sessions, node)], Event()
    sessions.wait_until_taken(visits, 0.001, hurry)
    waiting = gevent.spawn(sessions.wait_until_taken, visits, 60.0, hurry)
    gevent.sleep(0)
    hurry.set()
    waiting.join(PATIENCE)

    assert waiting.ready()
    assert sessions.take("secret", "owner") is visits[0]


@pytest.mark.parametrize("how", ["detach", "arrive"])
def test_a_session_that_comes_back_from_where_it_migrated_to_does_not_expire(sessions, node, expired, how):
    given = detached(sessions, node)
    sessions.migrate("secret", "owner")
    if how == "detach":
        again = detached(sessions, node)
        assert sessions.take("secret", "owner") is again
    else:
        sessions.attach("secret", "owner", Connection(lambda: None))

    assert given.due == 0  # the other server need not say that it had it
    sessions.close()
    assert node.pool.wait_until_idle(10)
    assert expired == []
