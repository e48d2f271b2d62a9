"""Whose client it is that has just returned is read for all who ask at one moment, without the site."""

from types import SimpleNamespace

import gevent
import pytest
from django.test import RequestFactory, override_settings

from realtime_wall.auth import django_sessions
from realtime_wall.auth.django_sessions import DjangoSession, SessionUser
from realtime_wall.auth.lazy_request import LazyRequest, made
from realtime_wall.auth.return_ticket import Ticket
from realtime_wall.sockets.returns import returned_users
from realtime_wall.sockets.returns.returned_users import ReturnedUsers
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import wait_for

BY_SITE = "whom the site says"


class User:
    is_authenticated = is_active = True

    def __init__(self, name):
        self.name = name


def account(user_id="1", password="hash", is_good=True):
    return SessionUser(DjangoSession(user_id, None, password), User("ada"), is_good)


@pytest.fixture
def node():
    with no_receivers(), running_node() as node:
        yield node


@pytest.fixture(autouse=True)
def store(monkeypatch):
    """What is in the session store, and the questions to it."""
    stored = {"adas": account(), "bobs": account()}
    asked = []

    def accounts_of(keys):
        asked.append(sorted(keys))
        if stored.get("broken"):
            raise RuntimeError("no database")
        return {key: stored[key] for key in keys if key in stored}

    monkeypatch.setattr(django_sessions, "accounts_of", accounts_of)
    return SimpleNamespace(stored=stored, asked=asked)


def returned(node, key="adas", flags="", known=True, users=None):
    """The request of a client that has just returned."""

    def site(lazy):
        whole = RequestFactory().get("/ws/")
        whole.user, whole.session = BY_SITE, {}
        return whole

    marks = [node.tickets._signer.marks(*one)[0] for one in (("user", "1"), ("password", "hash"))]
    session = RecordingTransport(node).session
    session.request = request = LazyRequest({"PATH_INFO": "/ws/"}, key, site)
    session.ticket = Ticket(0, flags, *(marks if known else ("", "")))
    request.read_user = (users or node.returned_users).reader(session)
    request.session_of_client = session  # the request does not hold it for us
    return request


def test_all_who_ask_within_a_moment_share_one_question(node, store):
    requests = [returned(node), returned(node, "bobs"), returned(node)]

    users = [one.value for one in gevent.joinall([gevent.spawn(lambda r=r: r.user) for r in requests])]

    assert store.asked == [["adas", "bobs"]]
    assert [user.name for user in users] == ["ada"] * 3
    assert len({id(user) for user in users}) == 3  # what a receiver does to one is not done to another


def test_the_database_stays_open_while_others_go_on_asking(node, store, monkeypatch):
    released = []
    monkeypatch.setattr(returned_users, "MOMENT", 0.1)  # a machine may be slow
    monkeypatch.setattr(returned_users, "release_database", lambda: released.append(len(store.asked)))

    for key in ("adas", "bobs", "adas"):
        assert returned(node, key).user.name == "ada"

    wait_for(lambda: 3 in released)
    assert not {1, 2} & set(released)  # an earlier test's may end now, too


def test_in_one_job_it_is_read_once_and_in_the_next_anew(node, store):
    request = returned(node)
    first = request.user
    assert request.user is first
    assert len(store.asked) == 1

    for number, forget in enumerate(
        (
            django_sessions.forget,
            django_sessions.forget_user,
            lambda one: django_sessions.renew_user([one]),
        ),
        start=2,
    ):
        forget(request)
        assert request.user is not first
        assert len(store.asked) == number


@pytest.mark.threat("S36")
@pytest.mark.parametrize(
    "now",
    [None, account(user_id="2"), account(password="new"), account(is_good=False), account(user_id=None)],
)
def test_who_is_somebody_else_by_now_is_asked_of_the_site(node, store, now):
    store.stored["adas"] = now
    if now is None:
        del store.stored["adas"]

    assert returned(node).user == BY_SITE


@pytest.mark.parametrize("of_ticket", [{"flags": "l"}, {"flags": "c"}, {"known": False}], ids=str)
def test_where_more_than_the_session_decides_the_site_is_asked(node, store, of_ticket):
    assert returned(node, **of_ticket).user == BY_SITE
    assert store.asked == []


BOTH = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


@pytest.mark.parametrize(
    ("middleware", "asks_site"),
    [(BOTH, True), (BOTH[:1], False), (BOTH[1:], False), ([*BOTH, "somebody.Impersonates"], False)],
)
def test_with_an_authorize_or_other_middleware_than_djangos_the_site_is_asked(
    node, store, middleware, asks_site
):
    with override_settings(MIDDLEWARE=middleware):
        users = ReturnedUsers(node.tickets, asks_site, may_wait=lambda: True)
        assert returned(node, users=users).user == BY_SITE

    assert store.asked == []
    assert returned(node).user.name == "ada"


def test_nobody_waits_on_the_event_loop(node, store):
    found = []
    request = returned(node)
    gevent.get_hub().loop.run_callback(lambda: found.append(request.user))
    wait_for(lambda: found)

    assert (found, store.asked) == ([BY_SITE], [])


def test_a_database_that_cannot_be_asked_is_the_sites_to_tell_of(node, store, caplog):
    store.stored["broken"] = True

    assert returned(node).user == BY_SITE
    assert "could not be read" in caplog.text


def test_what_the_site_has_made_or_the_recheck_has_settled_is_the_sites(node, store):
    request = returned(node)
    assert request.user.name == "ada"
    made(request)
    assert request.user == BY_SITE

    settled = returned(node)
    settled.session_of_client.ticket = None
    assert settled.user == BY_SITE
