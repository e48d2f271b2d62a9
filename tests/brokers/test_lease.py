"""What a lease has to do, whatever it is made of; then what is true of one kind only."""

import json
import os
import signal
import subprocess
import sys
from time import monotonic

import gevent
import pytest
from gevent.event import Event

from realtime_wall.brokers.lease import FileLease, lease
from realtime_wall.brokers.redis.redis_lease import LIFE, MARGIN, RENEW_EVERY, RedisLease
from realtime_wall.brokers.sequencer import new_epoch
from realtime_wall.config import Config
from tests.live import ROOT, wait_for
from tests.redis_server import RedisServer

HOLD = """
from gevent import monkey; monkey.patch_all()
import json, sys
from realtime_wall.brokers.lease import lease
from realtime_wall.config import Config
own = lease(Config(**json.loads(sys.argv[1])), "feeder")
print(own.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture
def files(tmp_path):
    tmp_path.chmod(0o700)
    return {"runtime_dir": str(tmp_path)}


@pytest.fixture
def in_redis(request):
    return {"broker": request.getfixturevalue("redis").url, "broker_prefix": new_epoch()}


@pytest.fixture(params=["files", pytest.param("in_redis", marks=pytest.mark.redis)])
def settings(request):
    return request.getfixturevalue(request.param)


class Leases:
    def __init__(self, settings):
        self.settings = settings
        self.made = []

    def __call__(self, name="feeder"):
        one = lease(Config(**self.settings), name)
        self.made.append(one)
        return one


@pytest.fixture
def new(settings):
    leases = Leases(settings)
    yield leases
    for one in leases.made:
        one.release()


@pytest.fixture
def new_in_redis(in_redis):
    leases = Leases(in_redis)
    yield leases
    for one in leases.made:
        one.release()


@pytest.fixture
def other(settings):
    """Another process that has it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_one_has_it_and_no_other(new):
    first, second = new(), new()

    assert first.take() and first.take() and first.is_held
    assert not second.take() and not second.is_held


def test_who_lets_go_of_it_can_take_it_again_and_so_can_others(new):
    first, second = new(), new()
    assert first.take()
    first.release()
    assert not first.is_held
    assert second.take()
    second.release()
    assert first.take()


def test_each_name_is_a_lease_of_its_own(new):
    first, second = new("feeder"), new("sweeper")

    assert first.take() and second.take()


def test_giving_back_what_one_never_had_is_no_trouble(new):
    first, second = new(), new()
    assert first.take()
    second.release()

    assert not second.take()
    assert first.is_held


def test_it_is_held_for_as_long_as_its_holder_lives(new):
    """Beyond the time after which one that is not renewed ends."""
    first, second = new(), new()
    lost = []
    first.on_lost = lambda: lost.append(1)
    assert first.take()
    end = monotonic() + LIFE + 1

    assert wait_for(lambda: not second.take() and first.is_held and monotonic() > end)
    assert not lost


def test_of_many_who_want_it_at_once_one_has_it(new):
    leases = [new() for _ in range(20)]
    gevent.joinall([gevent.spawn(one.take) for one in leases], raise_error=True)

    assert sum(one.is_held for one in leases) == 1


def test_a_process_that_was_killed_has_it_no_longer_within_three_seconds(new, other):
    own = new()
    assert not own.take()

    other.send_signal(signal.SIGKILL)

    wait_for(own.take, patience=3)


# A file


def test_a_link_in_its_place_is_not_followed(tmp_path):
    path = tmp_path / "feeder.lock"
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError):
        FileLease(path).take()
    assert not (tmp_path / "elsewhere").exists()


# Redis


def told_when_lost(own):
    lost = Event()
    own.on_lost = lost.set
    return lost


@pytest.mark.redis
def test_one_that_stopped_and_goes_on_does_not_have_it_if_another_has(redis, in_redis, new_in_redis):
    own = RedisLease(Config(**in_redis), "feeder")
    lost = told_when_lost(own)
    assert own.take()
    redis.client.set(own._key, "another")  # as if it had been halted for a while

    assert lost.wait(LIFE)
    assert not own.is_held
    own.release()
    assert redis.client.get(own._key) == b"another"


@pytest.mark.redis
@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_without_redis_it_is_over_before_anybody_else_could_have_it(redis, new_in_redis, fault):
    own = new_in_redis()
    lost = told_when_lost(own)
    assert own.take()
    gevent.sleep(RENEW_EVERY / 2)  # it is not new any more
    began = monotonic()
    getattr(redis, fault)()

    assert lost.wait(LIFE * 2)
    assert monotonic() - began <= LIFE - MARGIN + 0.1
    assert not own.is_held and not own.take()
    redis.go_on() if fault == "hang" else redis.start()
    wait_for(own.take)


@pytest.mark.redis
def test_who_has_it_keeps_it_through_a_short_absence_of_redis_even_without_its_data(redis, new_in_redis):
    own, other = new_in_redis(), new_in_redis()
    assert own.take() and not other.take()
    redis.kill()
    redis.lose_everything()
    assert not other.take()
    redis.start()
    end = monotonic() + LIFE + 0.5

    assert wait_for(lambda: not other.take() and monotonic() > end)
    assert own.is_held


@pytest.mark.redis
def test_a_redis_that_forgot_who_had_it_gives_it_to_nobody_else_before_that_is_over(
    redis, in_redis, new_in_redis
):
    """Its holder cannot be reached: it hangs, and goes on believing for as long as it may."""
    own, other = new_in_redis(), new_in_redis()
    assert own.take() and not other.take()
    own._renewing.kill()
    redis.restart()
    redis.client.flushall()
    while not other.take():
        gevent.sleep(0.02)

    assert not own.is_held


@pytest.mark.redis
def test_what_is_refused_is_said_once_and_tried_again(redis, new_in_redis, caplog):
    own = new_in_redis()
    redis.client.config_set("maxmemory", "1")
    for _ in range(5):
        assert not own.take()
    redis.client.config_set("maxmemory", "0")
    wait_for(own.take)

    assert caplog.text.count("trying again") == 1
    assert caplog.text.count("well again") == 1
