"""Only what is asked of it makes a request go through the site, once."""

import pytest
from django.test import RequestFactory

from realtime_wall import Refuse
from realtime_wall.auth import django_sessions
from realtime_wall.auth.channel_permissions import may_read
from realtime_wall.auth.lazy_request import LazyRequest, if_made, made
from realtime_wall.channels.rules import Rule

META = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/ws/",
    "QUERY_STRING": "room=1",
    "HTTP_COOKIE": "sessionid=abcdefgh",
    "HTTP_HOST": "testserver",
    "wsgi.url_scheme": "https",
}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def request_(asked):
    def make(lazy):
        asked.append(lazy)
        whole = RequestFactory().get("/ws/")
        whole.user, whole.session = "ada", {"a": 1}
        return whole

    return LazyRequest(dict(META), "abcdefgh", make)


def test_what_came_over_the_wire_is_there(request_, asked):
    assert request_.GET["room"] == "1"
    assert request_.COOKIES["sessionid"] == "abcdefgh"
    assert request_.headers["Host"] == request_.get_host() == "testserver"
    assert (request_.path, request_.method, request_.scheme) == ("/ws/", "GET", "https")
    assert request_.build_absolute_uri() == "https://testserver/ws/?room=1"
    assert not request_.POST
    assert asked == []


def test_what_middleware_adds_is_made_once(request_, asked):
    assert request_.user == "ada"
    assert request_.session == {"a": 1}
    assert not hasattr(request_, "tenant")
    assert asked == [request_]


@pytest.mark.parametrize(("who", "allowed"), [("all", True), (["nobody", True], True), ("nobody", False)])
def test_a_rule_that_asks_for_no_user_leaves_the_site_alone(request_, asked, who, allowed):
    assert may_read(Rule(read=who), request_, "room") is allowed
    assert asked == []


def test_whose_session_it_is_is_known_before(request_, asked):
    assert django_sessions.session_key_of(request_) == "abcdefgh"
    django_sessions.forget(request_)
    django_sessions.renew_user([request_])

    assert asked == []
    assert if_made(request_) is None


def test_what_it_was_made_of_is_looked_at_afterwards(request_):
    made(request_).session = type("Session", (), {"session_key": "rotated-key", "accessed": True})()

    assert django_sessions.session_key_of(request_) == "rotated-key"
    assert django_sessions.has_read_session(request_, "rotated-key")


def test_a_site_that_refuses_is_asked_once_and_says_why():
    asked, told = [], []
    request = LazyRequest(dict(META), None, lambda lazy: asked.append(lazy) or "banned")
    request.on_refused = told.append

    for _ in range(2):
        with pytest.raises(Refuse, match="banned"):
            request.user  # noqa: B018
    assert len(asked) == 1
    assert told == ["banned", "banned"]
