"""Publishing over HTTP, without a server: who may, what is answered, what is published."""

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.middleware.csrf import get_token
from django.test import RequestFactory, override_settings

from realtime_wall import channel_token
from realtime_wall.channels.resume import NOTHING
from realtime_wall.server.http import proxy_headers
from realtime_wall.transports.one_way.formats import LINES
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.views.channels.publish import publish
from tests.fakes import RecordingTransport, RecordingWire, running_node
from tests.live import wait_for

OPEN = {"channels": {"*": {"WRITE": True}}}
EXPLAIN = "X-Nginx-PushStream-Explain"
STAFF = SimpleNamespace(pk=1, is_authenticated=True, is_active=True, is_staff=True)
MEMBER = SimpleNamespace(pk=2, is_authenticated=True, is_active=True, is_staff=False)


def ask(method, channels="room", body="", *, user=None, query="", kind="text/plain", meta=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = RequestFactory().generic(
        method, f"/events/pub/{channels}{query}", body, content_type=kind, headers=headers
    )
    request.META.update({proxy_headers.META_KEY: False, "REMOTE_ADDR": "192.0.2.7"}, **(meta or {}))
    request.user = user or AnonymousUser()
    return publish(request, channels)


def post(*args, **kwargs):
    return ask("POST", *args, **kwargs)


def said(response):
    assert response.status_code == 200, response.headers
    return json.loads(response.content)


def kept(node, channel="room"):
    return [(json.loads(one.data_json), one.event, one.event_id) for one in node.broker.newest(channel, 99)]


# What is published


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_text_is_published_and_the_answer_tells_about_the_channel(method):
    with running_node(**OPEN) as node:
        RecordingTransport(node).socket.subscribe("room")
        response = ask(method, body="grüezi", Event_Id="seven", Event_Type="news")

        assert said(response) == {
            **{"channel": "room", "published_messages": 1, "stored_messages": 1, "subscribers": 1},
            "cursor": str(node.broker.top),
        }
        assert kept(node) == [("grüezi", "news", "seven")]


def test_json_is_published_as_what_it_says_in_one_line():
    with running_node(**OPEN) as node:
        post(body='{\n"a": [1,\n2]}', kind="application/json; charset=utf-8")

        assert node.broker.newest("room", 1)[0].data_json == '{"a":[1,2]}'


def test_several_channels_at_once():
    with running_node(**OPEN) as node:
        answer = said(post("a/b", "hello"))

        assert [one["channel"] for one in answer["infos"]] == ["a", "b"]
        assert (answer["channels"], answer["cursor"]) == (2, str(node.broker.top))
        assert (kept(node, "a"), kept(node, "b")) == ([("hello", None, None)],) * 2


@pytest.mark.parametrize("query", ["?id=/a/b", "?channels=a/b"])
def test_channels_may_be_an_argument(query):
    with running_node(**OPEN) as node:
        assert len(said(post("", "hello", query=query))["infos"]) == 2
        assert kept(node, "b")


def test_a_channel_that_keeps_nothing_is_published_on_all_the_same():
    with running_node(channels={"*": {"WRITE": True, "HISTORY_SIZE": 0}}):
        assert said(post(body="hello"))["stored_messages"] == 0


@pytest.mark.parametrize(
    ("request_", "status", "explanation"),
    [
        ({"body": ""}, 400, "Empty post requests are not allowed."),
        ({"channels": ""}, 400, "No channel id provided."),
        ({"channels": "x" * 129}, 400, "Channel id is too large."),
        ({"channels": "a\nb"}, 400, "Channel id cannot be used"),
        ({"channels": "ALL"}, 403, "Channel id not authorized for this method."),
        ({"channels": "a*"}, 403, "Channel id not authorized for this method."),
        ({"channels": "/".join(map(str, range(65)))}, 403, "More than 64 channels"),
        ({"body": "x" * 1000}, 413, "The message is larger than MESSAGE_SIZE."),
        ({"body": '"' * 600}, 413, "The message is larger than MESSAGE_SIZE."),  # as JSON
        ({"body": b"\xff"}, 400, "The message is no UTF-8."),
        ({"body": "{", "kind": "application/json"}, 400, "The message is no JSON"),
        ({"body": "NaN", "kind": "application/json"}, 400, "The message is no JSON"),
        ({"body": "[" * 99 + "]" * 99, "kind": "application/json"}, 400, "The message is no JSON"),
        ({"body": '"\\ud800"', "kind": "application/json"}, 400, "The message is no JSON"),
        ({"Event_Type": "gap"}, 400, "reserved"),
        ({"Event_Type": "a\x01"}, 400, "printed"),
        ({"Event_Id": "x" * 129}, 400, "event id"),
        ({"Idempotency_Key": "x" * 256}, 400, "idempotency key"),
    ],
)
def test_what_cannot_be_published_is_explained_and_nothing_is(request_, status, explanation):
    with running_node(**OPEN, message_size=1000) as node:
        response = post(**{"body": "hello", **request_})

        assert (response.status_code, response.content) == (status, b"")
        assert explanation in response[EXPLAIN]
        assert node.broker.top.offset == 0


def test_the_same_key_gets_the_same_answer_and_publishes_once():
    with running_node(**OPEN) as node:
        first = post(body="hello", Idempotency_Key="k1")
        post(body="between")
        again = post(body="hello", Idempotency_Key="k1")
        elsewhere = post("attic", body="hello", Idempotency_Key="k1")

        assert again.content == first.content != elsewhere.content
        assert [text for text, *_ in kept(node)] == ["hello", "between"]
        assert kept(node, "attic")


@pytest.mark.threat("S38")
def test_the_events_channel_is_not_for_others_to_write_on():
    with running_node(events_channel="life", publish_from_loopback=True) as node:
        for method in ("POST", "DELETE"):
            response = ask(method, "life", "hello", meta={"REMOTE_ADDR": "127.0.0.1"})

            assert response.status_code == 403
            assert response[EXPLAIN] == "Only internal routines can change events channel."
        assert node.broker.top.offset == 0


# Information and other methods


def test_information_is_about_a_channel_that_exists():
    with running_node(**OPEN):
        assert ask("GET").status_code == 404
        post(body="hello")
        information = said(ask("GET"))

    assert information == {
        **{"channel": "room", "published_messages": 1, "stored_messages": 1, "subscribers": 0}
    }


def test_other_methods_are_not_for_it():
    with running_node(**OPEN):
        response = ask("PATCH")

    assert (response.status_code, response["Allow"]) == (405, "GET, POST, PUT, DELETE, OPTIONS")


@pytest.mark.threat("S32")
def test_a_preflight_of_an_allowed_origin_is_answered():
    origin = "https://elsewhere.example"
    with running_node(allowed_origins=[origin]):
        response = ask("OPTIONS", Origin=origin)
        foreign = ask("OPTIONS", Origin="https://evil.example")

    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, origin)
    assert "Idempotency-Key" in response["Access-Control-Allow-Headers"]
    assert (foreign.status_code, foreign.has_header("Access-Control-Allow-Origin")) == (403, False)


def test_under_another_server_it_says_what_to_start():
    assert post(body="hello").status_code == 426


# Deleting


def test_subscribers_of_a_deleted_channel_are_told_what_came_before_and_leave():
    wires = [RecordingWire(), RecordingWire()]
    with running_node(**OPEN) as node:
        for wire, channels in zip(wires, ({"room": 0}, {"room": 0, "attic": 0}), strict=True):
            Listener(node, wire, LINES, chunked=False, session_key=None).begin(b"", channels, NOTHING)
        client = RecordingTransport(node)
        client.socket.subscribe("room")
        post(body="before")
        response = ask("DELETE", body="Good night", query=token("room"))
        post(body="after")
        post("attic", "still heard")
        wait_until_told(node)

        assert (response.status_code, response[EXPLAIN]) == (200, "Channel deleted.")
        assert lines(wires[0]) == [(1, "before"), (-2, "Good night")]
        assert lines(wires[1]) == [(1, "before"), (-2, "Good night"), (2, "still heard")]
        assert (wires[0].is_open, wires[1].is_open) == (False, True)
        assert (client.data_heard, client.expelled) == (["before"], ["room"])
        assert [text for text, *_ in kept(node)] == ["after"]
        assert node.broker.newest("room", 1)[0].number == 2  # no id is used twice


def test_a_channel_that_is_not_there_cannot_be_deleted():
    with running_node():
        assert ask("DELETE", query=token("room")).status_code == 404


@pytest.mark.threat("S38")
def test_who_may_write_because_all_may_cannot_delete():
    with running_node(**OPEN) as node:
        post(body="hello")

        assert ask("DELETE").status_code == 403
        assert kept(node)


# Who may


def token(pattern, **options):
    return f"?token={channel_token(pattern, write=True, **options)}"


def with_csrf(user, **more):
    request = RequestFactory().get("/")
    text = get_token(request)
    cookie = f"csrftoken={request.META['CSRF_COOKIE']}; sessionid=abc"
    return {"user": user, "Cookie": cookie, "X_CSRFToken": text, "Origin": "http://testserver", **more}


def a_session(user):
    return {"user": user, "Cookie": "sessionid=abc", "Origin": "http://testserver"}


NOBODY, BY_USERS = {}, {"channels": {"*": {"WRITE": "users"}}}


@pytest.mark.threat("S38")
@pytest.mark.parametrize(
    ("settings", "request_", "status"),
    [
        (NOBODY, {}, 403),
        (NOBODY, {"query": "?token=nonsense"}, 403),
        (NOBODY, {"query": f"?token={'x' * 5000}"}, 403),
        (NOBODY, {"query": token("room")}, 200),
        (NOBODY, {"query": token("ro*")}, 200),
        (NOBODY, {"query": token("attic")}, 403),
        (NOBODY, {"query": token("room", max_age=-1)}, 403),
        (NOBODY, {"query": token("room", user=MEMBER)}, 403),
        (NOBODY, {"query": token("room", user=MEMBER), **a_session(MEMBER)}, 200),
        (NOBODY, {"query": f"?token={channel_token('room')}"}, 403),  # it may read
        (NOBODY, {"Authorization": f"Bearer {channel_token('room', write=True)}"}, 200),
        (NOBODY, with_csrf(STAFF), 200),
        (NOBODY, with_csrf(STAFF, X_CSRFToken="x" * 32), 403),
        (NOBODY, a_session(STAFF), 403),
        (NOBODY, {"user": STAFF}, 403),  # signed in by something that is no cookie
        (NOBODY, with_csrf(MEMBER), 403),
        (BY_USERS, with_csrf(MEMBER), 200),
        (BY_USERS, a_session(MEMBER), 403),
        (BY_USERS, {}, 403),
        (OPEN, {}, 200),
        (OPEN, a_session(MEMBER), 200),
        (OPEN, {**a_session(MEMBER), "Origin": "https://evil.example"}, 403),
        ({"channels": {"*": {"WRITE": False}}}, with_csrf(STAFF), 403),
        ({"channels": {"*": {"WRITE": False}}}, {"query": token("room")}, 403),
        ({"channels": {"*": {"WRITE": lambda request, channel: channel == "room"}}}, {}, 200),
        ({"channels": {"*": {"WRITE": lambda request, channel: True}}}, a_session(MEMBER), 403),
    ],
)
def test_who_may_publish(settings, request_, status):
    with running_node(**settings) as node:
        response = post(body="hello", **request_)

        assert (response.status_code, len(kept(node))) == (status, int(status == 200))


@pytest.mark.threat("S33")
def test_staff_without_the_csrf_token_is_told_what_is_missing():
    with running_node():
        assert "X-CSRFToken" in post(body="hello", **a_session(STAFF))[EXPLAIN]


def test_of_several_channels_all_have_to_be_allowed():
    with running_node() as node:
        one, two = token("a"), token("b").replace("?", "&")

        assert post("a/b", "hello", query=one).status_code == 403
        assert (kept(node, "a"), kept(node, "b")) == ([], [])
        assert post("a/b", "hello", query=one + two).status_code == 200


LOCAL = {"REMOTE_ADDR": "127.0.0.1"}
FROM_LOOPBACK = {"publish_from_loopback": True}


@pytest.mark.parametrize(
    ("settings", "request_", "status"),
    [
        (FROM_LOOPBACK, {}, 403),
        (FROM_LOOPBACK, {"meta": LOCAL}, 200),
        (FROM_LOOPBACK, {"meta": {"REMOTE_ADDR": "127.3.2.1"}}, 200),
        (FROM_LOOPBACK, {"meta": {"REMOTE_ADDR": "::1"}}, 200),
        (FROM_LOOPBACK, {"meta": {"REMOTE_ADDR": "::ffff:127.0.0.1"}}, 200),
        (FROM_LOOPBACK, {"meta": {"REMOTE_ADDR": ""}}, 403),  # a proxy on a Unix socket
        (FROM_LOOPBACK, {"meta": {**LOCAL, proxy_headers.META_KEY: True}}, 403),
        (FROM_LOOPBACK, {"meta": LOCAL, "Origin": "https://evil.example"}, 403),
        (FROM_LOOPBACK, {"meta": LOCAL, "Origin": "http://testserver"}, 403),  # a name that leads here
        (FROM_LOOPBACK, {"meta": LOCAL, "Origin": "http://localhost:8000", "Host": "localhost:8000"}, 200),
        (FROM_LOOPBACK, {"meta": LOCAL, "Origin": "http://[::1]:80", "Host": "[::1]"}, 200),
        (FROM_LOOPBACK, {"meta": LOCAL, "Sec_Fetch_Site": "same-origin"}, 403),
        ({}, {"meta": LOCAL}, 403),
        ({"publish_from_loopback": False}, {"meta": LOCAL}, 403),
    ],
)
@override_settings(ALLOWED_HOSTS=["*"])
def test_who_counts_as_local(settings, request_, status):
    with running_node(**settings):
        assert post(body="hello", **request_).status_code == status


@override_settings(DEBUG=True)
def test_while_debug_is_on_programs_of_this_machine_may_publish_unless_that_is_forbidden():
    with running_node():
        assert post(body="hello", meta=LOCAL).status_code == 200
    with running_node(publish_from_loopback=False):
        assert post(body="hello", meta=LOCAL).status_code == 403


# Means


def lines(wire):
    items = [json.loads(line) for line in wire.written.decode().splitlines()]
    return [(one["id"], one["text"]) for one in items]


def wait_until_told(node):
    wait_for(lambda: node.delivered_position() == node.broker.top)


def test_the_limit_for_forms_is_none_for_messages():
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100), running_node(**OPEN) as node:
        assert post(body="x" * 1000).status_code == 200
        assert kept(node) == [("x" * 1000, None, None)]


def test_a_name_that_looks_like_a_look_back_is_a_name_to_a_publisher():
    with running_node(**OPEN) as node:
        assert said(post("news.b10", "hello"))["channel"] == "news.b10"
        assert kept(node, "news.b10") == [("hello", None, None)]
