import pickle

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import RequestFactory, override_settings

from realtime_wall.sockets.request import forget_parsed, keep


@pytest.fixture
def request_of_a_handshake():
    request = RequestFactory().get(
        "/ws/?since=a:1&room=x",
        headers={
            "user-agent": "Browser 1.0",
            "cookie": "sessionid=abc; theme=dark",
            "sec-websocket-key": "used only once",
            "sec-websocket-extensions": "permessage-deflate",
        },
        REMOTE_ADDR="192.0.2.7",
    )
    request.session = SessionStore("abc")
    request.user = AnonymousUser()
    request.META["a.hand.over"] = object()
    request._messages = object()
    return request


def test_what_user_code_asks_a_request_for_is_still_there(request_of_a_handshake):
    session, user = request_of_a_handshake.session, request_of_a_handshake.user

    kept = keep(request_of_a_handshake)

    assert kept.GET.dict() == {"since": "a:1", "room": "x"}
    assert kept.COOKIES == {"sessionid": "abc", "theme": "dark"}
    assert kept.headers["User-Agent"] == "Browser 1.0"
    assert kept.META["REMOTE_ADDR"] == "192.0.2.7"
    assert (kept.path, kept.method) == ("/ws/", "GET")
    assert kept.get_host() == "testserver"
    assert (kept.session, kept.user) == (session, user)


def test_what_repeats_from_client_to_client_is_there_once():
    def kept(number):
        headers = {
            "user-agent": "Browser" + " 1.0",
            "cookie": f"sessionid={number}",
            "origin": "https://a.example",
        }
        made = RequestFactory().get("/ws/", headers=headers)
        made.META = {"".join(key): value for key, value in made.META.items()}
        return keep(made).META

    one, other = kept(1), kept(2)
    assert [key for key in one if not any(key is name for name in other)] == []
    assert one["HTTP_USER_AGENT"] is other["HTTP_USER_AGENT"]


def test_get_and_cookies_are_the_same_whether_they_were_read_before_or_not(request_of_a_handshake):
    before = request_of_a_handshake.GET.dict(), dict(request_of_a_handshake.COOKIES)

    kept = keep(request_of_a_handshake)

    assert (kept.GET.dict(), kept.COOKIES) == before


def test_what_was_parsed_is_let_go_once_the_connect_receivers_had_it(request_of_a_handshake):
    kept = keep(request_of_a_handshake)
    parsed = kept.GET
    assert kept.GET is parsed

    forget_parsed(kept)

    assert not {"GET", "COOKIES"} & vars(kept).keys()
    assert parsed == kept.GET


def test_the_connect_receivers_have_the_session_and_user_that_middleware_has_made():
    request = RequestFactory().get("/ws/", headers={"cookie": "sessionid=abcdefgh-key"})
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        SessionMiddleware(lambda request: None).process_request(request)
        AuthenticationMiddleware(lambda request: None).process_request(request)
        session, user = request.session, request.user

        kept = keep(request)

        assert (vars(kept)["session"], vars(kept)["user"]) == (session, user)
        forget_parsed(kept)  # and none of them has looked
        assert not {"session", "user"} & vars(kept).keys()


def test_what_only_the_response_needed_is_let_go(request_of_a_handshake):
    kept = keep(request_of_a_handshake)

    assert not hasattr(kept, "_messages")
    assert all(type(value) is str for value in kept.META.values())
    assert kept.environ is kept.META
    assert not {"HTTP_SEC_WEBSOCKET_KEY", "HTTP_SEC_WEBSOCKET_EXTENSIONS"} & kept.META.keys()


def test_what_repeats_from_client_to_client_is_kept_once():
    # As from the network: equal texts, each an object of its own.
    first, second = (
        keep(RequestFactory().get("/ws/", headers={"user-agent": pickle.loads(pickle.dumps("Browser 1.0"))}))
        for _ in range(2)
    )

    assert first.META["HTTP_USER_AGENT"] is second.META["HTTP_USER_AGENT"]
