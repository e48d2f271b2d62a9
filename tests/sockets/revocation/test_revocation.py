from time import monotonic

import gevent
import pytest

from realtime_wall.auth import django_sessions
from realtime_wall.auth.django_sessions import DjangoSession
from realtime_wall.brokers.commands import DisconnectUser, RecheckPermissions
from realtime_wall.channels.names import EVERYONE
from realtime_wall.sockets.client_session import ClientSession, session_of
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome
from realtime_wall.sockets.revocation import revocation
from realtime_wall.sockets.revocation.revocation import LOGGED_OUT
from realtime_wall.wire.time_slice import TimeSlice
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import wait_for

SESSIONS = {
    "ada-1": DjangoSession("1", None),
    "ada-2": DjangoSession("1", None),
    "bob": DjangoSession("2", None),
}


class RequestSession:
    accessed = True

    def __init__(self, key):
        self.session_key = key


@pytest.fixture
def node():
    with no_receivers(), running_node() as node:
        yield node


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """The questions to the session store."""
    asked = []

    def sessions_of(keys):
        asked.append(set(keys))
        return {key: SESSIONS[key] for key in keys if key in SESSIONS}

    monkeypatch.setattr(django_sessions, "sessions_of", sessions_of)
    return asked


@pytest.fixture
def connect(node):
    def connect(key=None, *channels):
        client = RecordingTransport(node)
        if key is not None:
            client.socket.request.session = RequestSession(key)
        for channel in channels:
            assert client.socket.subscribe(channel)
        return client

    return connect


def test_a_session_that_gets_another_key_keeps_its_sockets_while_it_is_nobodys(node, connect, monkeypatch):
    monkeypatch.setitem(SESSIONS, "nobody", DjangoSession(None, None))
    ada, nobody = connect("ada-1"), connect("nobody")
    for client in (ada, nobody):
        node.revocation.sessions.arrived(client.socket.request)
    wait_for(lambda: node.revocation.sessions.is_somebodys("ada-1"))

    for key in ("ada-1", "nobody"):
        node.revocation.cut(DisconnectUser(session_key=key, spares_anonymous=True))

    assert ada.closed is not None
    assert nobody.closed is None


def test_a_session_is_cut_without_a_question(node, connect, asked):
    ada, elsewhere, stranger = connect("ada-1"), connect("ada-2"), connect()

    assert node.perform(DisconnectUser(session_key="ada-1")).sockets == 1

    assert ada.closed == (LOGGED_OUT, "signed out")
    assert elsewhere.closed is stranger.closed is None
    assert asked == []


def test_a_user_is_cut_everywhere_with_one_question(node, connect, asked):
    adas = [connect("ada-1"), connect("ada-2"), connect("ada-1")]
    others = [connect("bob"), connect(), connect("a cookie from long ago")]

    assert node.perform(DisconnectUser(user_id="1")).sockets == 3

    assert all(one.closed == (LOGGED_OUT, "signed out") for one in adas)
    assert all(one.closed is None for one in others)
    assert len(asked) == 1


def test_a_thousand_sockets_of_a_user_who_is_known_cost_no_question(node, connect, asked):
    adas = [connect("ada-1") for _ in range(1000)]
    node.revocation.sessions.arrived(adas[0].socket.request)
    node.revocation.sessions.tick(monotonic())
    wait_for(lambda: not node.revocation.sessions._is_looking, "the store's answer")
    assert asked == [{"ada-1"}]

    assert node.perform(DisconnectUser(user_id="1")).sockets == 1000

    assert all(one.closed for one in adas)
    assert len(asked) == 1


def test_a_visit_that_could_be_taken_up_again_cannot_any_more(node, connect):
    top = node.broker.top
    ada, bob = connect("ada-1"), connect("bob")
    for secret, client in (("a", ada), ("b", bob)):
        client.leave()
        node.detached_sessions.detach(
            DetachedSession(
                node.detached_sessions,
                secret,
                "cookie",
                client.session,
                (),
                Welcome(top),
                top,
                top,
                SubscribeAcks(),
            )
        )

    node.perform(DisconnectUser(user_id="1"))

    assert node.detached_sessions.take("a", "cookie") is None
    assert node.detached_sessions.take("b", "cookie") is not None


def test_an_expired_session_is_cut(node, connect):
    ada, bob = connect("ada-1"), connect("bob")

    node.revocation._expired({"ada-1"})

    assert ada.closed == (LOGGED_OUT, "the session has expired")
    assert bob.closed is None


def test_who_may_not_stay_is_taken_out_and_told_and_hears_no_more(node, connect, monkeypatch):
    monkeypatch.setattr(ClientSession, "may_still_read", lambda socket, channel: channel != "staff")
    ada, bob = connect("ada-1", "staff", "news"), connect("bob", "staff")

    assert node.perform(RecheckPermissions(user_id="1")).sockets == 1

    assert ada.socket.channels == ("news",)
    assert ada.expelled == ["staff"]
    assert node.subscriptions.snapshot("staff") == (bob,)
    assert (bob.expelled, ada.closed) == ([], None)
    assert ada in node.subscriptions.snapshot(EVERYONE)


def test_everybody_with_a_session_can_be_asked_about(node, connect, monkeypatch):
    monkeypatch.setattr(ClientSession, "may_still_read", lambda socket, channel: False)
    clients = [connect("ada-1", "staff"), connect("bob", "staff"), connect(None, "staff")]

    assert node.perform(RecheckPermissions()).sockets == 2

    assert [client.expelled for client in clients] == [["staff"], ["staff"], []]


def test_while_many_are_asked_about_others_have_their_turns(node, connect, monkeypatch):
    monkeypatch.setattr(revocation, "TimeSlice", lambda: TimeSlice(-1.0))
    asked, at_others_turn = [], []
    monkeypatch.setattr(ClientSession, "may_still_read", lambda session, channel: bool(asked.append(session)))
    for key in ("ada-1", "ada-2", "bob"):
        connect(key, "staff")
    gevent.spawn(lambda: at_others_turn.append(len(asked)))

    assert node.perform(RecheckPermissions()).sockets == 3

    assert at_others_turn == [1]


def test_who_goes_while_others_are_asked_is_not_asked_any_more(node, connect, monkeypatch):
    monkeypatch.setattr(revocation, "TimeSlice", lambda: TimeSlice(-1.0))
    monkeypatch.setattr(ClientSession, "may_still_read", lambda session, channel: False)
    ada, bob = connect("ada-1", "staff"), connect("bob", "staff")
    gevent.spawn(lifecycle.end, session_of(bob.socket))

    assert node.perform(RecheckPermissions()).sockets == 1

    assert (ada.expelled, bob.expelled) == (["staff"], [])


def test_a_rule_that_fails_lets_nobody_stay(node, connect, monkeypatch, caplog):
    def may_stay(socket, channel):
        raise OSError("the database is away")

    monkeypatch.setattr(ClientSession, "may_still_read", may_stay)
    ada = connect("ada-1", "staff")

    node.perform(RecheckPermissions(user_id="1"))

    assert ada.expelled == ["staff"]
    assert "the rule of channel 'staff' failed" in caplog.text


class Listening:
    def __init__(self, node, session_key):
        self.session_key = session_key
        self.ended = None
        node.listeners.add(self)

    def end(self, reason):
        self.ended = reason


def test_listeners_of_a_session_end_with_it(node, connect):
    connect("ada-1")
    ada, bob, nobody = (Listening(node, key) for key in ("ada-1", "bob", None))

    assert node.perform(DisconnectUser(session_key="ada-1")).sockets == 2

    assert (ada.ended, bob.ended, nobody.ended) == ("signed out", None, None)


def test_listeners_whose_user_has_other_rights_now_have_to_come_back(node, connect):
    ada, bob, nobody = (Listening(node, key) for key in ("ada-1", "bob", None))

    assert node.perform(RecheckPermissions(user_id="1")).sockets == 1

    assert (bool(ada.ended), bob.ended, nobody.ended) == (True, None, None)


def test_by_default_everybody_may_stay(node, connect):
    ada = connect("ada-1", "staff")

    assert node.perform(RecheckPermissions()).sockets == 0
    assert ada.socket.channels == ("staff",)


def test_the_rule_sees_the_user_as_it_is_now(node, connect, monkeypatch):
    renewed = []
    monkeypatch.setattr(django_sessions, "renew_user", renewed.append)
    adas = [connect("ada-1"), connect("ada-2")]
    connect("bob")

    node.perform(RecheckPermissions(user_id="1"))

    assert renewed == [[one.socket.request for one in adas]]


def test_a_socket_that_is_taken_out_tells_its_receivers_in_their_turn(node, connect):
    from realtime_wall import signals

    left = []

    def note(sender, request, channel):
        left.append((sender, channel))

    signals.socket_unsubscribed.connect(note)
    ada = connect("ada-1", "staff")
    holds = gevent.event.Event()
    ada.session.inbox.put(holds.wait)

    ada.session.expel("staff")
    ada.session.expel("staff")

    assert (ada.socket.channels, left) == ((), [])
    holds.set()
    assert node.pool.wait_until_idle(10)
    assert left == [(ada.socket, "staff")]
