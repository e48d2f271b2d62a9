import json

import gevent
import pytest
from django.test import override_settings

from realtime_wall import signals
from realtime_wall.wall import configured_feed
from realtime_wall.wall.models import Tweet
from tests.wall.fakes import DEADLINE, x_line


@pytest.fixture
def server(publisher, monkeypatch):
    """Something that starts and stops as a server does."""
    monkeypatch.setattr("realtime_wall.wall.feed.publish_here", publisher)
    server = object()
    yield server
    configured_feed.stop_feed(server)


def test_without_a_source_nothing_is_started(server):
    with override_settings(REALTIME_WALL={}):
        signals.server_started.send(server)

    assert configured_feed._running == {}


def test_the_feed_runs_as_long_as_the_server(server, publisher, database, tmp_path):
    path = tmp_path / "recording.jsonl"
    lines = [x_line(1), x_line(2)]
    path.write_text("\n".join(map(json.dumps, lines)))
    wall = {"SOURCES": ["replay"], "REPLAY_FILE": str(path), "BANNED_USERS": ["somebody"]}
    with override_settings(REALTIME_WALL={"WALL": wall}):
        signals.server_started.send(server)
        signals.server_started.send(server)

    publisher.wait_for(2)
    assert len(configured_feed._running) == 1
    assert Tweet.objects.count() == 2
    assert {channel for channel, *_ in publisher.published} == {"tweets"}

    feed = configured_feed._running[server]
    signals.server_stopping.send(server)
    assert configured_feed._running == {}
    assert feed._drain.dead


def test_a_server_without_a_feed_stops_too():
    signals.server_stopping.send(object())


def test_banned_users_of_the_settings_are_kept_out(server, publisher, database, tmp_path):
    path = tmp_path / "recording.jsonl"
    other = x_line(2)
    other["includes"]["users"][0]["username"] = "benokoro"
    path.write_text("\n".join(map(json.dumps, [x_line(1), other])))
    wall = {"SOURCES": ["replay"], "REPLAY_FILE": str(path), "BANNED_USERS": ["maraquill"]}
    with override_settings(REALTIME_WALL={"WALL": wall}):
        signals.server_started.send(server)

    publisher.wait_for(1)
    assert publisher.published[0][1]["author_username"] == "benokoro"


def test_the_sample_shows_its_first_post_at_once(server, publisher, database):
    with override_settings(REALTIME_WALL={"WALL": {"SOURCES": ["replay"], "REPLAY_LOOP": True}}):
        signals.server_started.send(server)

    with gevent.Timeout(DEADLINE):
        publisher.wait_for(1)
    assert "SaltmarshPy" in publisher.published[0][1]["text"]
