"""Statistics over HTTP, without a server: what is told, in which shape, and to whom."""

import json
import os
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from realtime_wall import api, channel_token
from realtime_wall.channels.resume import NOTHING
from realtime_wall.node.introspection.statistics import LISTED
from realtime_wall.transports.one_way.formats import LINES
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.views.channels.stats import stats
from tests.fakes import RecordingTransport, RecordingWire, running_node

STAFF = SimpleNamespace(pk=1, is_authenticated=True, is_active=True, is_staff=True)
A_NEWS = {"channel": "news", "published_messages": 2, "stored_messages": 2, "subscribers": 1}
A_NEWER = {"channel": "news.more", "published_messages": 1, "stored_messages": 1, "subscribers": 0}


@pytest.fixture
def node():
    with running_node(channels={"open": {"WRITE": True}}) as node:
        RecordingTransport(node).socket.subscribe("news")
        for channel in ("news", "news", "news.more", "attic", "open"):
            api.publish(channel, "hello")
        yield node


def ask(channels="", *, user=STAFF, query="", method="GET", **headers):
    request = RequestFactory().generic(method, f"/events/stats/{channels}{query}", headers=headers)
    request.user = user
    return stats(request, channels)


def said(*args, **kwargs):
    response = ask(*args, **kwargs)
    assert response.status_code == 200, response.headers
    return json.loads(response.content)


def test_one_channel(node):
    assert said("news") == A_NEWS


@pytest.mark.parametrize("query", [("news/news.more/nothing", ""), ("", "?id=news/news.more")])
def test_some_channels(node, query):
    told = said(query[0], query=query[1])

    assert told["infos"] == [A_NEWS, A_NEWER]
    assert {key: told[key] for key in ("channels", "wildcard_channels")} == {
        **{"channels": 2, "wildcard_channels": 0}
    }
    assert {"hostname", "time", "uptime"} < told.keys()


def test_an_accept_that_takes_long_to_read_is_refused(node):
    assert ask("news", Accept="*/*" + ";" * 1021).status_code == 200
    assert ask("news", Accept="*/*" + ";" * 1022).status_code == 431


def test_channels_by_prefix_and_all_of_them(node):
    assert said("news*")["infos"] == [A_NEWS, A_NEWER]
    assert [one["channel"] for one in said("ALL")["infos"]] == ["attic", "news", "news.more", "open"]
    assert said("*")["infos"] == said("ALL")["infos"]
    assert said("nothing*")["infos"] == []


def test_of_very_many_channels_only_some_are_listed(node, monkeypatch):
    monkeypatch.setattr("realtime_wall.node.introspection.statistics.LISTED", 2)

    told = said("ALL")

    assert (told["channels"], len(told["infos"])) == (4, 2)
    assert LISTED == 10_000


def test_a_summary(node):
    Listener(node, RecordingWire(), LINES, chunked=False, session_key=None).begin(b"", {"attic": 0}, NOTHING)

    told = said()

    expected = {
        **{"channels": 4, "wildcard_channels": 0, "published_messages": 5, "stored_messages": 5},
        **{"messages_in_trash": 0, "channels_in_delete": 0, "channels_in_trash": 0, "subscribers": 2},
        **{"sockets": 1, "listeners": 1, "published": 5, "dropped": 0, "refused": 0},
    }
    assert {key: told[key] for key in expected} == expected
    assert told["by_worker"] == [{"pid": str(os.getpid()), "subscribers": 2, "uptime": told["uptime"]}]


def test_a_client_that_was_too_slow_is_counted(node):
    client = RecordingTransport(node)
    client.socket.subscribe("news")
    client.answer = 0  # DROPPED
    api.broadcast_channel("hello", "news")

    assert said()["dropped"] == 1


def test_text_for_people(node):
    response = ask("news", Accept="text/plain")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().split("\r\n") == [
        *("channel: news", "published_messages: 2", "stored_messages: 2", "active_subscribers: 1", "")
    ]
    assert "channel: attic\r\n" in ask("ALL", Accept="text/plain").content.decode()
    assert ask("news", Accept="*/*")["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("channels", "status"), [("nothing", 404), ("a*b", 403), ("a*/b", 403), ("a/b*", 403), ("x" * 129, 400)]
)
def test_what_cannot_be_told(node, channels, status):
    assert ask(channels).status_code == status


def test_other_methods_are_not_for_it(node):
    response = ask("news", method="POST")

    assert (response.status_code, response["Allow"]) == (405, "GET, OPTIONS")


@pytest.mark.threat("S39")
@pytest.mark.parametrize(
    ("channels", "pattern", "allowed"),
    [
        *((channels, None, False) for channels in ("", "ALL", "*", "news", "news*", "news/open")),
        ("open", None, True),
        ("news", "news", True),
        ("news*", "news", False),
        ("news*", "news*", True),
        ("news.m*", "news*", True),
        ("ne*", "news*", False),
        ("ne*", "*s", False),
        ("", "news*", False),
        ("", "*", True),
        ("ALL", "*", True),
    ],
)
def test_a_stranger_is_told_what_he_may_publish_on(node, channels, pattern, allowed):
    query = "" if pattern is None else f"?token={channel_token(pattern, write=True)}"
    response = ask(channels, query=query, user=AnonymousUser())

    assert response.status_code == (200 if allowed else 403)


@pytest.mark.threat("S39")
def test_a_token_to_read_tells_nothing(node):
    query = f"?token={channel_token('news', write=False)}"

    assert ask("news", query=query, user=AnonymousUser()).status_code == 403


@pytest.mark.parametrize(
    ("query", "headers", "content_type"),
    [
        ("", {"Accept": "text/xml"}, "text/xml"),
        ("?format=xml", {"Accept": "application/json"}, "application/xml"),
        ("", {"Accept": "application/x-yaml"}, "application/x-yaml"),
    ],
)
def test_other_formats(node, query, headers, content_type):
    response = ask("news*", query=query, **headers)

    assert response["Content-Type"] == f"{content_type}; charset=utf-8"
    assert "news.more" in response.content.decode()


def test_a_format_that_is_none_is_refused(node):
    response = ask("news", query="?format=xls")

    assert response.status_code == 400
    assert "json, text, xml, yaml" in response["X-Nginx-PushStream-Explain"]
