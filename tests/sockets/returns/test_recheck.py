"""Who has returned is asked about soon: all at once, in the background."""

import pytest

from realtime_wall.auth import django_sessions
from realtime_wall.auth.django_sessions import DjangoSession, SessionUser
from realtime_wall.auth.lazy_request import LazyRequest, if_made
from realtime_wall.auth.return_ticket import Ticket
from realtime_wall.brokers.commands import LOGGED_OUT
from realtime_wall.channels.names import EVERYONE
from realtime_wall.sockets.dispatch.inbox import Inbox
from realtime_wall.sockets.returns import recheck
from tests.fakes import RecordingTransport, a_request, no_receivers, running_node
from tests.live import wait_for

META = {"PATH_INFO": "/ws/", "HTTP_COOKIE": ""}


class User:
    is_authenticated = is_active = True

    def __init__(self, is_staff):
        self.is_staff = is_staff


def account(user_id="1", password="hash", is_staff=True, is_good=True):
    return SessionUser(DjangoSession(user_id, None, password), User(is_staff), is_good)


@pytest.fixture
def node():
    with no_receivers(), running_node(channels={"staff*": {"READ": "staff"}}) as node:
        yield node


@pytest.fixture(autouse=True)
def store(monkeypatch):
    """What is in the session store, and the questions to it."""
    stored = {"adas-session": account()}
    stored_asked = []

    def accounts_of(keys):
        stored_asked.append(sorted(keys))
        if stored.pop("broken", None):
            raise RuntimeError("no database")
        return {key: stored[key] for key in keys if key in stored}

    monkeypatch.setattr(django_sessions, "accounts_of", accounts_of)
    monkeypatch.setattr(recheck, "RETRY", 0.1)
    stored["asked"] = stored_asked
    return stored


class Returned(RecordingTransport):
    def __init__(self, node, key="adas-session", flags="", known=True, site=a_request, channels=()):
        super().__init__(node)
        marks = [node.tickets._signer.marks(*one)[0] for one in (("user", "1"), ("password", "hash"))]
        self.asked = []

        def make(lazy):
            self.asked.append(lazy)
            return site()

        self.session.request = LazyRequest(dict(META), key, make)
        self.session.request.on_refused = lambda reason: self.close(1013, reason)
        self.session.inbox.request = self.session.request
        self.session.ticket = Ticket(0, flags, *(marks if known else ("", "")), channels)
        for channel in channels:
            assert self.session.subscribe_for_client(channel, None, None, None)
        node.recheck.add(self.session)

    def is_settled(self):
        return self.session.ticket is None

    def settle(self):
        wait_for(self.is_settled)
        assert self.closed is None


def test_all_of_a_moment_share_one_question(node, store):
    clients = [Returned(node), Returned(node), Returned(node, key=None, known=False)]

    for client in clients:
        client.settle()

    assert store["asked"] == [["adas-session"]]
    assert [client.asked for client in clients] == [[], [], []]
    assert node.revocation.sessions.user_id_of("adas-session") == "1"


@pytest.mark.threat("S36")
@pytest.mark.parametrize(
    "now",
    [None, account(user_id="2"), account(password="new"), account(is_good=False), account(user_id=None)],
)
def test_who_is_somebody_else_by_now_is_closed(node, store, now):
    store["adas-session"] = now
    if now is None:
        del store["adas-session"]
    client = Returned(node)

    wait_for(lambda: client.closed)

    assert client.closed == (LOGGED_OUT, "signed out")
    assert not client.is_settled()


def test_a_user_who_may_not_sign_in_is_closed_even_if_nobody_knew_whose_the_ticket_was(node, store):
    store["adas-session"] = account(is_good=False)
    client = Returned(node, known=False)

    wait_for(lambda: client.closed)


@pytest.mark.parametrize(
    "of_ticket", [{"flags": "l"}, {"key": "a cookie from long ago", "known": False}], ids=str
)
def test_where_more_decides_the_site_is_asked(node, of_ticket):
    client, refused = Returned(node, **of_ticket), Returned(node, site=lambda: "banned", **of_ticket)

    client.settle()
    assert len(client.asked) == 1
    wait_for(lambda: refused.closed)
    assert refused.closed == (1013, "banned")
    assert not refused.is_settled()


def test_a_channel_of_the_ticket_is_left_when_it_was_lost(node, store):
    stays = Returned(node, channels=("staff room",))
    stays.settle()
    store["adas-session"] = account(is_staff=False)
    leaves = Returned(node, channels=("staff room",))
    leaves.settle()

    assert stays.socket.channels == ("staff room",)
    assert leaves.expelled == ["staff room"]
    assert if_made(stays.session.request) is if_made(leaves.session.request) is None
    assert "user" not in vars(stays.session.request)  # it was only lent


def test_a_channel_that_is_not_in_the_ticket_is_asked_about_at_once(node):
    client = Returned(node, site=a_request)

    assert not client.session.subscribe_for_client("staff room", None, None, None)
    assert len(client.asked) == 1


def test_about_channels_that_everybody_may_hear_no_greenlet_is_asked(node, monkeypatch):
    client = Returned(node, channels=("news",))
    jobs = []
    monkeypatch.setattr(Inbox, "put", lambda inbox, job: jobs.append(job))

    client.settle()

    assert jobs == []


def test_a_store_that_cannot_be_asked_is_asked_again(node, store):
    store["broken"] = True
    client = Returned(node)

    client.settle()

    assert len(store["asked"]) == 2


def test_who_has_gone_meanwhile_is_left_alone(node, store):
    store.clear()
    store["asked"] = []
    client = Returned(node)
    client.session.disconnected()
    client.leave()
    other = Returned(node, key=None, known=False)
    other.settle()

    assert client.closed is None
    assert node.subscriptions.count(EVERYONE) == 1
