"""The handshake's view and the health page, without a server."""

import json

import pytest
from django.test import Client, RequestFactory, override_settings

from realtime_wall import Refuse
from realtime_wall.server.http import hand_over
from realtime_wall.views import websocket
from tests.fakes import running_node


def handshake(query="", *, method="GET", offered=True, **headers):
    request = RequestFactory().generic(method, f"/ws/{query}", headers=headers)
    if offered:
        request.META[hand_over.META_KEY] = hand_over.HandOver([])
    return request


def answer(request, **settings):
    with running_node(**settings):
        return websocket.websocket(request)


def is_handed_over(request):
    return hand_over.of(request).opener is not None


# The handshake


def test_a_sound_handshake_is_accepted():
    request = handshake()

    assert answer(request).status_code == 101
    assert is_handed_over(request)


def test_a_stopping_server_takes_nobody_in():
    request = handshake()

    with running_node() as node:
        node.stopping = True
        response = websocket.websocket(request)

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert not is_handed_over(request)


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
def test_other_methods_are_not(method):
    response = answer(handshake(method=method))

    assert (response.status_code, response["Allow"]) == (405, "GET")


def test_under_another_server_it_says_what_to_start():
    response = Client().get("/ws/")

    assert response.status_code == 426
    assert b"start it with 'manage.py rungevent'" in response.content
    assert not response.has_header("Upgrade")  # WSGI servers refuse to pass that on


def test_a_browser_is_told_what_is_spoken_there():
    response = answer(handshake(offered=False))

    assert response.status_code == 426
    assert b"WebSocket" in response.content


@pytest.mark.threat("S31")
def test_another_origin_is_refused_before_it_is_connected():
    request = handshake(origin="http://evil.example")

    response = answer(request)

    assert response.status_code == 403
    assert b"evil.example" in response.content
    assert not is_handed_over(request)


def test_another_origin_may_be_named():
    request = handshake(origin="http://friend.example")

    assert answer(request, allowed_origins=["http://friend.example"]).status_code == 101


@pytest.mark.parametrize("since", ["abc:1", ""])
def test_it_may_resume(since):
    assert answer(handshake(f"?since={since}")).status_code == 101


@pytest.mark.parametrize("since", ["abc", "abc:", ":1", "abc:-1", "abc:x", "abc:" + "9" * 5000, "%00"])
def test_a_cursor_that_is_none_is_refused(since):
    request = handshake(f"?since={since}")

    response = answer(request)

    assert response.status_code == 400
    assert b"is no cursor" in response.content
    assert not is_handed_over(request)


# The project's own say


def yes(request):
    return True


def no(request):
    return False


def refuse(request):
    raise Refuse


def refuse_with_reason(request):
    raise Refuse({"why": "full"})


@pytest.mark.parametrize("authorize", [yes, f"{__name__}.yes"])
def test_the_project_may_agree(authorize):
    assert answer(handshake(), authorize=authorize).status_code == 101


@pytest.mark.parametrize("authorize", [no, f"{__name__}.no", refuse, lambda request: None])
def test_the_project_may_refuse(authorize):
    request = handshake()

    response = answer(request, authorize=authorize)

    assert (response.status_code, response.content) == (403, b"refused\n")
    assert not is_handed_over(request)


def test_the_project_may_say_why():
    response = answer(handshake(), authorize=refuse_with_reason)

    assert (response.status_code, response["Content-Type"]) == (403, "application/json")
    assert json.loads(response.content) == {"why": "full"}


def test_the_project_is_asked_about_this_request():
    asked = []
    request = handshake("?a=b")

    answer(request, authorize=asked.append)

    assert asked == [request]


def test_the_project_is_not_asked_about_other_origins():
    asked = []

    answer(handshake(origin="http://evil.example"), authorize=asked.append)

    assert asked == []


# Health


def health():
    response = Client().get("/health/")
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.json()


def test_a_running_server_is_well():
    with running_node():
        status, said = health()

    assert (status, said["status"], said["sockets"]) == (200, "ok", 0)


@pytest.mark.parametrize(("origin", "may"), [("https://app.example", True), ("https://evil.example", False)])
def test_pages_of_allowed_origins_may_read_it(origin, may):
    with override_settings(REALTIME_WALL={"ALLOWED_ORIGINS": ["https://app.example"]}):
        response = Client().get("/health/", headers={"Origin": origin})

    assert response.get("Access-Control-Allow-Origin") == (origin if may else None)


def test_one_that_stops_is_not():
    with running_node() as node:
        node.stopping = True
        status, said = health()

    assert (status, said["status"]) == (503, "stopping")


def test_neither_is_one_that_serves_no_sockets():
    assert health() == (503, {"status": "no live server", "sockets": 0})
