"""Several commands in one request, without a server."""

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from realtime_wall import channel_token
from realtime_wall.views.channels.batch import batch
from tests.fakes import running_node


@pytest.fixture
def node():
    with running_node(channels={"open": {"WRITE": True}}, events_channel="life", message_size=1500) as node:
        yield node


def ask(commands, *, token=None, method="POST"):
    body = commands if isinstance(commands, str) else json.dumps(commands)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = RequestFactory().generic(
        method, "/events/batch/", body, content_type="application/json", headers=headers
    )
    request.user = AnonymousUser()
    return batch(request)


def test_each_command_is_done_and_answered_in_order(node):
    commands = [
        {"do": "publish", "channel": "open", "data": {"a": 1}, "event": "said", "event_id": "e1"},
        {"do": "publish", "channel": "open", "data": 2, "idempotency_key": "k"},
        {"do": "publish", "channel": "open", "data": 2, "idempotency_key": "k"},
        {"do": "info", "channel": "open"},
        {"do": "retract", "channel": "open", "which": "e1"},
        {"do": "delete", "channel": "open"},
    ]
    response = ask(commands, token=channel_token("open", write=True))

    first, second, again, info, retracted, deleted = json.loads(response.content)
    assert first == {"status": 200, "cursor": f"{node.broker.top.epoch}:1"}
    assert second == again and second["cursor"].endswith(":2")
    assert (info["status"], info["published_messages"]) == (200, 2)
    assert retracted["status"] == deleted["status"] == 200
    assert node.broker.kept("open") == 0
    assert response["Cache-Control"].startswith("no-cache")


def test_what_is_refused_holds_up_no_other(node):
    commands = [
        {"do": "publish", "channel": "closed", "data": 1},
        {"do": "publish", "channel": "no/name", "data": 1},
        {"do": "publish", "channel": "life", "data": 1},
        {"do": "publish", "channel": "open", "data": "x" * 301},
        {"do": "publish", "channel": "open", "data": 1, "event": "connect"},
        {"do": "retract", "channel": "open", "which": 7},
        {"do": "delete", "channel": "open"},
        {"do": "sing", "channel": "open"},
        "publish",
        {"do": "publish", "channel": "open", "data": "last"},
    ]
    response = ask(commands[:3] + commands[4:])
    large = ask([commands[3], "x" * 1500])

    answers = json.loads(response.content)
    assert [one["status"] for one in answers] == [403, 400, 403, 400, 403, 403, 400, 400, 200]
    assert all(one["explain"] for one in answers[:-1])
    assert [one.data_json for one in node.broker.newest("open", 9)] == ['"last"']
    assert large.status_code == 413


@pytest.mark.parametrize("body", ["", "{}", "[]", "{", json.dumps([{}] * 101)])
def test_a_body_is_an_array_of_some_objects(node, body):
    response = ask(body)

    assert response.status_code in (400, 413)
    assert response.headers["X-Nginx-PushStream-Explain"]


def test_it_takes_nothing_but_a_post(node):
    assert ask([], method="GET").status_code == 405
