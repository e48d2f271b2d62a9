import importlib.util
import subprocess
import sys

import pytest

from realtime_wall.brokers.redis import redis_url


@pytest.mark.parametrize(
    "url",
    ["", "redis://cache.example:6379/0", "rediss://ada:secret@cache.example", "unix:///run/redis.sock?db=3"],
)
def test_an_address_that_can_be_used_has_no_problem(url):
    assert redis_url.problem(url) is None


@pytest.mark.parametrize(
    "url", ["cache.example:6379", "http://cache.example", "Redis://cache.example", "redis:/x"]
)
def test_an_unknown_scheme_is_named_with_those_that_are_known(url):
    assert redis_url.problem(url) == "has to begin with redis://, rediss://, unix://, or to be empty"


def test_an_address_that_cannot_be_read_is_not_quoted():
    problem = redis_url.problem("redis://ada:secret")

    assert problem is not None
    assert "secret" not in problem


def test_without_redis_py_it_is_named(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(redis_url, "find_spec", lambda name: None if name == "redis" else found(name))

    assert "pip install realtime-wall[redis]" in redis_url.problem("redis://cache.example")
    assert redis_url.problem("") is None


@pytest.mark.parametrize(
    ("prefix", "is_bad"), [("realtime_wall", False), ("a:b", False), ("", True), ("{a}", True), ("a b", True)]
)
def test_a_prefix_has_to_be_a_hash_tag(prefix, is_bad):
    assert redis_url.is_bad_prefix(prefix) is is_bad


@pytest.mark.threat("S45")
def test_a_log_has_no_password_in_it():
    assert redis_url.shown("redis://ada:secret@cache.example:6379/0") == "redis://cache.example:6379/0"
    assert (
        redis_url.shown("unix://ada:secret@/run/redis.sock?db=1&password=secret") == "unix:///run/redis.sock"
    )


def test_a_connection_is_made_in_time_and_tries_nothing_again_by_itself():
    connection = redis_url.pool("redis://cache.example:6379/0", 1.5).make_connection()

    assert (connection.socket_timeout, connection.socket_connect_timeout) == (1.5, 1.5)
    assert connection.retry._retries == 0
    assert redis_url.pool("redis://cache.example", 5.0).make_connection().socket_connect_timeout == 2.0
    assert redis_url.pool("unix:///run/redis.sock", 1.5).make_connection().socket_timeout == 1.5


def test_redis_py_is_not_loaded_where_none_is_set():
    script = (
        "import sys; from realtime_wall.brokers.redis import redis_url; redis_url.problem('');"
        "print('redis' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], capture_output=True).stdout == b"False\n"
