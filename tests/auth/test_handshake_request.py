"""What Django makes for each request, and few sockets ask for, is made when they do."""

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory, override_settings
from django.utils.functional import SimpleLazyObject

from realtime_wall.auth import django_sessions
from realtime_wall.auth.handshake_request import HandshakeRequest, leave_out_user_and_session

KEY = "abcdefgh-key"


@pytest.fixture(autouse=True)
def no_database():
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        yield


@pytest.fixture
def request_():
    return seen_by_middleware(f"sessionid={KEY}")


def seen_by_middleware(cookie):
    made = RequestFactory().get("/ws/?room=1", headers={"cookie": cookie})
    SessionMiddleware(lambda request: None).process_request(made)
    AuthenticationMiddleware(lambda request: None).process_request(made)
    return made


def test_they_are_as_the_middleware_makes_them(request_):
    leave_out_user_and_session(request_)

    assert not {"user", "session"} & vars(request_).keys()
    assert type(request_.session) is SessionStore
    assert request_.session.session_key == KEY
    assert request_.session is request_.session
    assert request_.user is request_.user
    assert request_.user.is_anonymous
    assert (request_.content_type, request_.content_params) == ("", {})
    assert isinstance(request_, WSGIRequest)


def test_they_can_be_replaced_and_nothing_else_is_made_up(request_):
    leave_out_user_and_session(request_)
    request_.user, request_.tenant = "ada", "a"

    assert (request_.user, request_.tenant) == ("ada", "a")
    assert not hasattr(request_, "csrf_processing_done")
    assert not request_.POST


@pytest.mark.parametrize(("cookie", "key"), [(f"sessionid={KEY}", KEY), ("theme=dark", None)])
def test_whose_session_it_is_is_known_without_making_it(cookie, key):
    request = seen_by_middleware(cookie)
    leave_out_user_and_session(request)

    assert django_sessions.session_key_of(request) == key
    assert not django_sessions.has_read_session(request, KEY)
    django_sessions.forget(request)
    django_sessions.forget_user(request)
    assert not {"user", "session"} & vars(request).keys()
    assert request.session.session_key == key


def test_of_a_session_that_was_asked_for_it_is_what_that_says_now(request_):
    leave_out_user_and_session(request_)
    request_.session["a"] = 1
    request_.session._session_key = "another-key"

    assert django_sessions.session_key_of(request_) == "another-key"
    assert django_sessions.has_read_session(request_, "another-key")


def test_a_user_that_was_renewed_is_that_of_all_its_sockets(request_):
    other = seen_by_middleware(f"sessionid={KEY}")
    leave_out_user_and_session(request_)
    leave_out_user_and_session(other)

    django_sessions.renew_user([request_, other])

    assert request_.user is other.user
    assert request_.user.is_anonymous


def _read_the_user(request):
    assert request.user.is_anonymous


def _read_the_session(request):
    request.session.get("a")


def _user_of_its_own(request):
    request.user = SimpleLazyObject(lambda: "ada")


def _session_of_its_own(request):
    request.session = type("Session", (SessionStore,), {})(KEY)


def _more_in_the_session(request):
    request.session.tenant = "a"


def _another_request(request):
    request.__class__ = type("Request", (WSGIRequest,), {})


@pytest.mark.parametrize(
    "change",
    [
        *(_read_the_user, _read_the_session, _user_of_its_own),
        *(_session_of_its_own, _more_in_the_session, _another_request),
    ],
)
def test_what_somebody_has_looked_at_or_made_otherwise_stays(request_, change):
    change(request_)
    kind, session, user = type(request_), request_.session, request_.user

    leave_out_user_and_session(request_)

    assert type(request_) is kind is not HandshakeRequest
    assert vars(request_)["session"] is session
    assert vars(request_)["user"] is user
