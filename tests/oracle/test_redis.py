"""Two servers that are joined by Redis, and what may happen to it: nothing is lost without a word."""

import os
from contextlib import ExitStack

import pytest

from tests.live import LiveServer
from tests.oracle.load import SETTINGS, Load, Size
from tests.redis_server import RedisServer

PROVING = bool(os.environ.get("REALTIME_WALL_PROVE"))
# For how long Redis is away; what is done in between comes before it is there again.
AWAY = [5, 30] if PROVING else [2]
BEFORE, AFTER = (8, 7) if PROVING else (2, 3)


def kill(redis):
    return lambda load: redis.kill()


def start(redis):
    return lambda load: redis.start()


def hang(redis):
    return lambda load: redis.hang()


def go_on(redis):
    return lambda load: redis.go_on()


def start_empty(redis):
    def fault(load):
        redis.lose_everything()
        redis.start()

    return fault


def start_with_older_data(redis):
    def fault(load):
        redis.lose_what_came_since()
        redis.start()

    return fault


def watched(begin, end, away, has_snapshot=False):
    """What the judge says of two servers whose Redis is away for a while."""
    seconds = BEFORE + away + AFTER
    size = Size(
        clients=200 if PROVING else 40,
        publishers=2,
        rate=100 if PROVING else 40,
        seconds=seconds,
        quiet=5 if PROVING else 0.5,
        patience=30,
    )
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        settings = {**SETTINGS, "BROKER": redis.url}
        servers = [stack.enter_context(LiveServer(settings=settings)) for _ in range(2)]
        addresses = [("127.0.0.1", one.port) for one in servers]
        load = stack.enter_context(Load(servers[0], size, addresses=addresses, publish_on=servers))
        if has_snapshot:
            redis.snapshot()
        report = load.run([(BEFORE, begin(redis)), (BEFORE + away, end(redis))])
    print(report.table(), report.verdicts(), sep="\n")
    return report


@pytest.mark.timeout(200)
@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize(("begin", "end"), [(kill, start), (hang, go_on)][: None if PROVING else 1])
def test_redis_may_be_away_and_nothing_is_lost(begin, end, away):
    report = watched(begin, end, away)

    assert report.judgement.verdicts == []
    assert report.gaps == 0


@pytest.mark.timeout(200)
@pytest.mark.parametrize("end", [start_empty, start_with_older_data][: None if PROVING else 1])
def test_redis_may_come_back_with_less_and_everybody_is_told(end):
    report = watched(kill, end, AWAY[0], has_snapshot=end is start_with_older_data)

    assert report.judgement.verdicts == []
    assert report.gaps >= len(report.journals)
