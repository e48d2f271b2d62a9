import json
from types import SimpleNamespace

import gevent
import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from realtime_wall import signals
from realtime_wall.wall.feed import startup
from realtime_wall.wall.models import Tweet, Wall, WallSource
from tests.wall.fakes import DEADLINE, x_line


@pytest.fixture
def runtime(tmp_path):
    tmp_path.chmod(0o700)
    return {"RUNTIME_DIR": str(tmp_path)}


class Server:
    address = "AAAAAAAA"
    publisher = SimpleNamespace(enter=None)


@pytest.fixture
def server(publisher, monkeypatch, database):
    """Something that starts and stops as a server does."""
    monkeypatch.setattr("realtime_wall.wall.feed.publish_queue.DIRECT", publisher)
    server = Server()
    yield server
    signals.server_stopping.send(server)


def recording(tmp_path, *lines):
    path = tmp_path / "recording.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return str(path)


def wait_until(condition):
    with gevent.Timeout(DEADLINE, AssertionError("it did not come")):
        while not condition():
            gevent.sleep(0.01)


def test_without_a_source_nothing_is_fed(server, runtime):
    with override_settings(REALTIME_WALL=runtime):
        signals.server_started.send(server)
        gevent.sleep(0.05)

    assert startup._running[server].feeds == {}


def test_the_feeds_run_as_long_as_the_server(server, publisher, runtime, tmp_path):
    path = recording(tmp_path, x_line(1), x_line(2))
    wall = {"SOURCES": ["replay"], "REPLAY_FILE": path, "BANNED_USERS": ["somebody"]}
    with override_settings(REALTIME_WALL=runtime | {"WALL": wall}):
        signals.server_started.send(server)
        signals.server_started.send(server)
        publisher.wait_for(2)

        assert len(startup._running) == 1
        assert Tweet.objects.count() == 2
        assert {channel for channel, *_ in publisher.published} == {"tweets"}

        feed = startup._running[server].feeds["main"]
        signals.server_stopping.send(server)
    assert startup._running == {}
    assert feed._drain.dead


def test_a_server_without_a_feed_stops_too():
    signals.server_stopping.send(object())


def test_banned_users_of_the_settings_are_kept_out(server, publisher, runtime, tmp_path):
    other = x_line(2)
    other["includes"]["users"][0]["username"] = "benokoro"
    path = recording(tmp_path, x_line(1), other)
    wall = {"SOURCES": ["replay"], "REPLAY_FILE": path, "BANNED_USERS": ["maraquill"]}
    with override_settings(REALTIME_WALL=runtime | {"WALL": wall}):
        signals.server_started.send(server)
        publisher.wait_for(1)

    assert publisher.published[0][1]["author_username"] == "benokoro"


def test_the_sample_shows_its_first_post_at_once(server, publisher, runtime):
    wall = {"SOURCES": ["replay"], "REPLAY_LOOP": True}
    with override_settings(REALTIME_WALL=runtime | {"WALL": wall}):
        signals.server_started.send(server)
        publisher.wait_for(1)

    assert "SaltmarshPy" in publisher.published[0][1]["text"]


def test_what_is_saved_is_looked_at_at_once(server, publisher, runtime):
    """The next look by itself would come in five seconds, beyond the deadline."""
    with override_settings(REALTIME_WALL=runtime):
        signals.server_started.send(server)
        gevent.sleep(0.1)
        source = WallSource.objects.create(wall=Wall.called("hall-2"), kind="replay")
        publisher.wait_for(1)
        source.enabled = False
        source.save()
        wait_until(lambda: startup._running[server].feeds == {})

    assert publisher.published[0][0] == "tweets.hall-2"


def test_saving_something_else_is_no_reason_to_look(server, runtime):
    with override_settings(REALTIME_WALL=runtime):
        signals.server_started.send(server)
        gevent.sleep(0.1)
        User.objects.create(username="warden")

        assert not startup._running[server]._changed.is_set()
