"""What a test run publishes stays in it: no running server of the site hears it, and no Redis is asked."""

import contextlib

import pytest
from django.test.utils import setup_test_environment, teardown_test_environment

from realtime_wall import NoServer, NoSocket, broadcast, cluster, cursor, publish, retract, send
from realtime_wall.brokers import lease as leases
from realtime_wall.channels.position import Position
from realtime_wall.config import from_mapping
from realtime_wall.control import isolation, unix_client

NO_REDIS = from_mapping({"BROKER": "redis://127.0.0.1:1/0"})


@pytest.fixture
def test_run():
    setup_test_environment()
    yield
    teardown_test_environment()


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """What was asked of a running server."""
    found = []
    monkeypatch.setattr(unix_client, "perform", lambda command, config: found.append(command) or 1 / 0)
    monkeypatch.setattr(unix_client, "answers_to", lambda question, config: found.append(question) or [])
    return found


def test_what_is_published_in_a_test_run_gets_a_position_and_goes_nowhere(test_run, asked):
    first, second = publish("news", 1), publish("news", 2)

    assert second.offset == first.offset + 1
    assert cursor() == str(second)
    assert retract("news", first).position == str(Position(first.epoch, first.offset + 2))
    assert asked == []


@pytest.mark.parametrize("verb", [lambda: broadcast("hi"), lambda: send("somebody", "hi")])
def test_what_wants_listeners_finds_none(test_run, asked, verb):
    with pytest.raises(NoSocket):
        verb()

    assert asked == []


def test_no_server_is_asked_who_is_there(test_run, asked):
    with pytest.raises(NoServer, match="a test run"):
        cluster.servers()

    assert asked == []


def test_a_test_run_connects_to_no_redis(test_run, monkeypatch):
    monkeypatch.setattr("realtime_wall.api.config", lambda: NO_REDIS)

    assert publish("news", 1)


def test_a_lease_is_not_the_one_of_a_running_server(test_run, monkeypatch, tmp_path):
    site = from_mapping({"RUNTIME_DIR": str(tmp_path)})
    monkeypatch.setattr("realtime_wall.cluster.config", lambda: site)
    held, lease = leases.lease(site, "feeder"), cluster.lease("feeder")

    with contextlib.ExitStack() as stack:
        stack.callback(held.release)
        stack.callback(lease.release)
        assert held.take()
        assert lease.take()


def test_outside_of_a_test_run_the_servers_are_asked(asked):
    assert not isolation.is_test_run()
    with pytest.raises(ZeroDivisionError):
        publish("news", 1)

    assert len(asked) == 1
