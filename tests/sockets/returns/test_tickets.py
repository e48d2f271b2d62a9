"""What a server remembers of the tickets that are not good any more."""

from time import time

import pytest
from django.test import override_settings

from realtime_wall.auth.django_sessions import DjangoSession
from realtime_wall.brokers.commands import Disconnect, DisconnectUser, RecheckPermissions
from realtime_wall.errors import NoSocket
from realtime_wall.sockets.returns import tickets as module
from tests.fakes import no_receivers, running_node

META = {"PATH_INFO": "/ws/", "HTTP_COOKIE": "sessionid=adas-session"}
KEY = "adas-session"


@pytest.fixture
def node():
    with no_receivers(), running_node() as node:
        yield node


def issued(node, visit="visit", key=KEY, user=None):
    if user is not None:
        node.revocation.sessions.learn({key: DjangoSession(user, None, "hash")})
    return node.tickets.issue(META, "", visit, key, "", ())


def is_good(node, text, visit="visit", key=KEY):
    return node.tickets.check(text, META, "", visit, key) is not None


def test_a_ticket_is_good_until_it_is_taken(node):
    text = issued(node)

    assert is_good(node, text)
    assert is_good(node, text)
    node.tickets.take("visit")

    assert not is_good(node, text)
    assert (node.tickets.taken, node.tickets.not_taken) == (1, 1)


def test_nobody_is_looked_for_where_no_session_and_no_user_is_spoilt(node, monkeypatch):
    text = issued(node)
    node.tickets.take("another visit")
    monkeypatch.setattr(module, "_hashed", lambda key: pytest.fail("looked for a session"))

    assert is_good(node, text)


@pytest.mark.threat("S36")
@pytest.mark.parametrize("user", [None, "1"])
@pytest.mark.parametrize(
    ("command", "spoils"),
    [
        (DisconnectUser(session_key=KEY), True),
        (DisconnectUser(session_key="another-session"), False),
        (DisconnectUser(user_id="1"), True),
        (RecheckPermissions(user_id="1"), True),
        (RecheckPermissions(), True),
    ],
)
def test_who_has_left_or_lost_something_returns_by_no_ticket_of_before(node, user, command, spoils):
    text = issued(node, user=user)

    node.perform(command)

    assert is_good(node, text) is not spoils


def test_another_user_is_not_meant_where_it_is_known_whose_the_ticket_is(node):
    text, unknown = issued(node, user="2"), issued(node, key="another-session")

    node.perform(DisconnectUser(user_id="1"))

    assert is_good(node, text)
    assert not is_good(node, unknown, key="another-session")


def test_what_is_issued_later_is_good_again(node, monkeypatch):
    node.perform(DisconnectUser(user_id="1"))
    monkeypatch.setattr(module, "time", lambda: time() + 30)

    assert is_good(node, issued(node, user="1"))


def test_a_socket_that_was_closed_by_name_does_not_return_by_one(node):
    text = issued(node)

    with pytest.raises(NoSocket):
        node.perform(Disconnect(session_id="visit", code=4000, reason="banned"))

    assert not is_good(node, text)


def test_what_is_too_old_to_matter_is_forgotten(node):
    node.tickets.take("visit")
    [(_, until)] = node.tickets._revoked["client"].values()

    assert node.tickets.tick(until - 1) == module.FORGET_EVERY
    assert node.tickets.tick(until) is None


@pytest.mark.parametrize("name", ["age", "middleware"])
def test_a_site_without_tickets_gives_none_and_takes_none(name):
    class Gate:
        at_returns = "always"

    module_of_gate = "tests.sockets.returns.test_tickets.Gate"
    globals()["Gate"] = Gate
    with running_node() as node:
        text = issued(node)
    settings = {"ticket_age": 0.0} if name == "age" else {}
    middleware = [module_of_gate] if name == "middleware" else []
    with override_settings(MIDDLEWARE=middleware), running_node(**settings) as node:
        assert issued(node) is None
        assert not is_good(node, text)
