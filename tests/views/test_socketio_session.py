"""The requests of Engine.IO, each answered as its protocol says, the hostile ones too."""

import json
from hashlib import sha256

import gevent
import pytest
from django.test import RequestFactory, override_settings

from realtime_wall.auth import visitor_address
from realtime_wall.errors import Refuse
from realtime_wall.server.http.hand_over import META_KEY, HandOver
from realtime_wall.transports.engineio.session import sessions
from realtime_wall.views.socketio_session import socketio
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns
from tests.fakes import RecordingWire, masked, no_receivers, running_node
from tests.live import wait_for

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"
ORIGIN = "http://testserver"


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(message_size=1000, allowed_origins=["https://www.example.org"]) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")


def ask(
    query="",
    method="get",
    data=None,
    cookie=None,
    offer=None,
    content_type="text/plain",
    address="",
    **headers,
):
    path = f"/socket.io/?{query}"
    if cookie is not None:
        headers["Cookie"] = f"sessionid={cookie}"
    if method == "get":
        request = RequestFactory().get(path, headers=headers)
    else:
        make = getattr(RequestFactory(), method)
        request = make(path, data=data or b"", content_type=content_type, headers=headers)
    request.META[visitor_address.META_KEY] = address
    if offer is not None:
        request.META[META_KEY] = offer
    return socketio(request)


def code(response):
    """The number of a refusal."""
    assert response["Content-Type"] == "application/json"
    refusal = json.loads(response.content)
    assert set(refusal) == {"code", "message"}
    return response.status_code, refusal["code"]


def handshake(**kwargs):
    response = ask(POLLING, **kwargs)
    assert response.status_code == 200
    return json.loads(response.content[1:])["sid"]


def post(sid, data=b"3", **kwargs):
    return ask(f"{POLLING}&sid={sid}", "post", data, **kwargs)


# What clients do


def test_a_client_opens_a_session_posts_and_polls(node):
    response = ask(POLLING)
    sid = json.loads(response.content[1:])["sid"]

    assert response["Content-Type"] == "text/plain; charset=UTF-8"
    assert response["Cache-Control"] == "no-store"
    assert (answer := post(sid, b"40")).status_code == 200
    assert answer.content == b"ok"
    assert node.pool.wait_until_idle(10)
    assert ask(f"{POLLING}&sid={sid}").content.startswith(b'40{"sid"')


def test_a_websocket_opens_a_session_on_the_connection_it_came_on(node):
    offer, wire = HandOver([]), RecordingWire()

    assert ask(WEBSOCKET, offer=offer).status_code == 101
    offer.opener(wire, masked(1, "40"))

    assert [payload[:2] for _, payload in wire.frames()][:2] == [b"0{", b"40"]


def test_a_session_changes_over_to_a_websocket(node):
    sid, offer, wire = handshake(), HandOver([]), RecordingWire()

    assert ask(f"{WEBSOCKET}&sid={sid}", offer=offer).status_code == 101
    offer.opener(wire, masked(1, "2probe") + masked(1, "5"))

    assert wire.frames() == [(1, b"3probe")]
    assert code(ask(f"{POLLING}&sid={sid}")) == (400, 3)
    assert code(post(sid)) == (400, 3)
    assert sid in sessions
    # The official suite wants a second WebSocket to be opened, and closed.
    offer, second = HandOver([]), RecordingWire()
    ask(f"{WEBSOCKET}&sid={sid}", offer=offer)
    offer.opener(second, b"")
    assert second.close().code == 1000
    assert wire.is_open


# What is refused


@pytest.mark.threat("S17")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 5),
        ("transport=polling", 5),
        ("EIO=3&transport=polling", 5),
        ("EIO=abc&transport=polling", 5),
        ("EIO=%00&transport=polling", 5),
        ("EIO[]=4&transport=polling", 5),
        ("EIO=4&EIO=4&transport=polling", 3),
        ("EIO=4", 0),
        ("EIO=4&transport=", 0),
        ("EIO=4&transport=abc", 0),
        ("EIO=4&transport=__proto__", 0),
        ("EIO=4&transport=constructor", 0),
        ("EIO=4&transport=Polling", 0),
        ("EIO=4&transport=polling&transport=polling", 3),
        ("EIO=4&transport=polling&transport=websocket", 3),
        ("EIO=4&transport=websocket", 3),
        (f"{POLLING}&sid=", 1),
        (f"{POLLING}&sid=unknown", 1),
        (f"{POLLING}&sid=__proto__", 1),
        (f"{POLLING}&sid=%F0%9F%98%80", 1),
        (f"{POLLING}&sid={'x' * 5000}", 1),
        (f"{POLLING}&sid=a&sid=b", 3),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_request_that_makes_no_sense_is_refused_with_its_number(node, query, expected):
    before = set(sessions)

    assert code(ask(query)) == (400, expected)
    assert set(sessions) == before


def test_an_address_opens_so_many_sessions_a_second_on_whichever_connection():
    with running_node(address_accept_rate=1.0):
        statuses = [ask(POLLING, address="1.2.3.4").status_code for _ in range(13)]
        assert statuses == [200] * 11 + [429] * 2
        assert ask(POLLING, address="1.2.3.5").status_code == 200
        for session in list(sessions.values()):
            session.end("the test is over")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_only_a_get_opens_a_session(node, method):
    assert code(ask(POLLING, method)) == (400, 2)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_leave_a_session_alone(node, method):
    sid = handshake()

    assert code(ask(f"{POLLING}&sid={sid}", method, b"3")) == (400, 3)
    assert sid in sessions


def test_a_handshake_of_a_websocket_that_asks_for_polling_is_refused(node):
    offer = HandOver([])

    assert code(ask(POLLING, offer=offer)) == (400, 3)
    assert offer.opener is None


def test_an_unknown_session_is_not_changed_over(node):
    offer = HandOver([])

    assert code(ask(f"{WEBSOCKET}&sid=unknown", offer=offer)) == (400, 1)
    assert offer.opener is None


def test_a_client_of_an_older_protocol_is_told_both_versions(node):
    message = json.loads(ask("EIO=3&transport=polling").content)["message"]

    assert "Engine.IO 3" in message
    assert "Engine.IO" in message and " 4 " in message


@pytest.mark.threat("S34")
def test_the_session_of_another_visitor_is_unknown(node):
    sid = handshake(cookie="one")

    for cookie in ("two", None, ""):
        assert code(ask(f"{POLLING}&sid={sid}", cookie=cookie)) == (400, 1)
        assert code(post(sid, b"1", cookie=cookie, Origin=ORIGIN)) == (400, 1)
        offer = HandOver([])
        assert code(ask(f"{WEBSOCKET}&sid={sid}", offer=offer, cookie=cookie, Origin=ORIGIN)) == (400, 1)
    assert post(sid, cookie="one", Origin=ORIGIN).status_code == 200


@pytest.mark.threat("S21")
def test_two_gets_at_once_are_refused_and_the_session_ends(node):
    sid = handshake()
    waiting = gevent.spawn(ask, f"{POLLING}&sid={sid}")
    wait_for(lambda: sessions[sid]._carrier.is_polled, "the first")

    assert code(ask(f"{POLLING}&sid={sid}")) == (400, 3)
    assert waiting.get(timeout=10).content == b"1"
    assert code(ask(f"{POLLING}&sid={sid}")) == (400, 1)


def test_a_client_that_closes_its_session_may_have_one_more_answer(node):
    sid = handshake()

    assert post(sid, b"1").content == b"ok"
    assert code(post(sid, b"4more")) == (400, 3)
    assert ask(f"{POLLING}&sid={sid}").content == b"6"
    assert code(ask(f"{POLLING}&sid={sid}")) == (400, 1)


@pytest.mark.threat("S21")
def test_two_posts_at_once_are_refused_and_the_session_ends(node):
    sid = handshake()
    sessions[sid]._carrier.is_posting = True

    assert code(post(sid)) == (400, 3)
    assert sid not in sessions


@pytest.mark.parametrize("body", [b"", b"abc", b"4\xff", b"\x1e" * 100])
def test_a_body_that_is_no_protocol_ends_the_session(node, body):
    sid = handshake()

    assert code(post(sid, body)) == (400, 3)
    assert sid not in sessions


@pytest.mark.threat("S18")
def test_a_body_that_is_too_large_is_not_read(node):
    sid = handshake()

    assert post(sid, b"4" + b"x" * 1000).status_code == 413
    assert sid not in sessions


def test_a_body_of_exactly_the_limit_is(node):
    sid = handshake()

    assert post(sid, b"3" * 1000).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "application/json", "multipart/form-data"]
)
def test_another_content_type_is_refused_at_once_and_harms_no_session(node, content_type):
    sid = handshake()

    assert code(post(sid, b"3", content_type=content_type)) == (400, 3)
    assert post(sid).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain;charset=UTF-8", "text/plain", ""])
def test_those_of_the_clients_are_taken(node, content_type):
    assert post(handshake(), content_type=content_type).status_code == 200


# Who may connect


def test_the_project_may_refuse_before_anything_is_agreed():
    def authorize(request):
        if "no" in request.GET:
            raise Refuse({"why": "no"})
        return "yes" in request.GET

    with running_node(authorize=authorize):
        before = set(sessions)
        assert ask(POLLING).status_code == 403
        assert json.loads(ask(f"{POLLING}&no=1").content) == {"why": "no"}
        assert set(sessions) == before
        assert ask(f"{POLLING}&yes=1").status_code == 200
        for session in list(sessions.values()):
            session.end("the test is over")


@pytest.mark.threat("S31", "S33")
def test_a_page_of_another_site_is_refused(node):
    assert code(ask(POLLING, Origin="https://evil.example")) == (403, 4)
    assert code(ask(POLLING, **{"Sec-Fetch-Site": "cross-site"})) == (403, 4)


@pytest.mark.threat("S32")
def test_a_page_of_an_allowed_site_may_read_the_answers_with_its_cookies(node):
    response = ask(POLLING, Origin="https://www.example.org", cookie="one")

    assert response["Access-Control-Allow-Origin"] == "https://www.example.org"
    assert response["Access-Control-Allow-Credentials"] == "true"
    assert response["Vary"] == "Origin"
    asked = ask(POLLING, "options", Origin="https://www.example.org")
    assert (asked.status_code, asked["Access-Control-Allow-Methods"]) == (204, "GET, POST, OPTIONS")


def test_without_an_origin_nothing_is_said_about_origins(node):
    assert "Access-Control-Allow-Origin" not in ask(POLLING)


def test_a_server_that_stops_takes_no_new_session(node):
    node.stopping = True

    response = ask(POLLING)

    assert (response.status_code, response["Retry-After"]) == (503, "2")


def test_without_the_live_server_it_is_said_what_to_start():
    response = ask(POLLING)

    assert response.status_code == 426
    assert b"rungevent" in response.content


def test_the_sessions_cookie_may_have_another_name(node):
    with override_settings(SESSION_COOKIE_NAME="visit"):
        response = ask(POLLING, Cookie="visit=one")
        sid = json.loads(response.content[1:])["sid"]

        # Not the cookie itself: other servers may be told whose it is.
        assert sessions[sid].owner == sha256(b"one").hexdigest()


@pytest.mark.threat("S64")
def test_more_clients_that_poll_than_one_address_may_have_are_refused_and_counted():
    with running_node(polling_sessions=2) as node:
        first, _ = handshake(address="1.2.3.4"), handshake(address="1.2.3.4")

        refused = ask(POLLING, address="1.2.3.4")

        assert code(refused) == (429, 3)
        assert "at once" in json.loads(refused.content)["message"]
        assert node.refused == 1
        sessions[first].end("it went")
        handshake(address="1.2.3.4")
        for session in list(sessions.values()):
            session.end("the test is over")


@pytest.mark.threat("S19")
def test_a_post_of_more_packets_than_may_be_is_refused_with_the_number_and_counted():
    with running_node(post_packets=16) as node:
        sid = handshake()

        response = post(sid, data="\x1e".join(["3"] * 17))

        assert code(response) == (400, 3)
        assert "more than 16 packets" in json.loads(response.content)["message"]
        assert (node.refused, sid in sessions) == (1, False)
        assert post(handshake(), data="\x1e".join(["3"] * 16)).content == b"ok"
        for session in list(sessions.values()):
            session.end("the test is over")


def test_a_request_has_a_turn_of_its_own_for_what_comes_after_middleware(node, monkeypatch):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    asking, waited = gevent.spawn(ask, POLLING), []
    Wire.turns.stand_in_line("another", lambda: waited.append(Wire.turns.is_in_line(asking)))

    wait_for(lambda: waited)
    assert waited == [True]
    assert asking.get(timeout=10).status_code == 200
