"""Publishing over a channel's WebSocket: where a rule lets the client, and nowhere else."""

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from realtime_wall import channel_token
from realtime_wall.views.channels.websocket_publish import publisher_for_socket
from tests.fakes import running_node

MEMBER = SimpleNamespace(pk=2, is_authenticated=True, is_active=True, is_staff=False)
STAFF = SimpleNamespace(pk=1, is_authenticated=True, is_active=True, is_staff=True)
RULES = {
    "open*": {"WRITE": True, "WILDCARDS": 1},
    "team": {"WRITE": ["users", "token"]},
    "shut": {"WRITE": False},
}


def may(node, *channels, user=None, token=None):
    request = RequestFactory().get("/events/ws/", {} if token is None else {"token": token})
    request.user = user or AnonymousUser()
    return publisher_for_socket(node, request, list(channels))


@pytest.fixture
def node():
    with running_node(channels=RULES, events_channel="life", message_size=1000) as node:
        yield node


@pytest.mark.parametrize(
    ("channels", "who", "allowed"),
    [
        (["open"], {}, True),
        (["open", "any"], {}, False),  # every channel of the connection has to allow it
        (["any"], {"user": STAFF}, False),
        (["shut"], {"user": STAFF}, False),
        (["team"], {"user": MEMBER}, True),
        (["team"], {"token": channel_token("team", write=True)}, True),
        (["team"], {"token": channel_token("team")}, False),
        (["any"], {"token": channel_token("any", write=True)}, False),
        (["life"], {"user": STAFF}, False),
        (["open", "open*"], {}, False),  # what it writes would be on no channel
    ],
)
def test_a_rule_says_who_may(node, channels, who, allowed):
    assert (may(node, *channels, **who) is not None) is allowed


def test_a_text_is_published_and_one_that_cannot_be_is_explained(node):
    publish = may(node, "open")

    assert publish("open", "hello") is None
    assert "MESSAGE_SIZE" in publish("open", "x" * 2000)
    assert "surrogate" in publish("open", "\ud800")
    assert [json.loads(one.data_json) for one in node.broker.newest("open", 9)] == ["hello"]
