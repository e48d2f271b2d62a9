"""The wall of several machines that Redis joins: one of them feeds it, and all pages have every post once."""

import contextlib
import json
import os
import signal
import time

import pytest

from tests.fake_x import FakeX
from tests.integration.test_feed_figures import PROVE, FeedServer, wait_for_more
from tests.live import wait_for
from tests.redis_server import RedisServer
from tests.wall.fakes import x_line

pytestmark = pytest.mark.redis

KILLS = 20 if PROVE else int(os.environ.get("KILLS", 1))
AWAY = 30 if PROVE else 3


class Machine(FeedServer):
    """A server that has nothing in common with the others but the database and Redis."""

    def __init__(self, database, redis, environment, *, sharing=None, wall=None):
        super().__init__(None if sharing else database, "Numbered", environment=environment)
        settings = json.loads(self.environment["SITE_REALTIME_WALL"]) | {"BROKER": redis.url}
        self.environment["SITE_REALTIME_WALL"] = json.dumps(settings | ({"WALL": wall} if wall else {}))
        if sharing:
            self.environment["SITE_DATABASE"] = sharing.environment["SITE_DATABASE"]

    def numbers(self):
        return [int(row[0]) for row in self.query("SELECT post_id FROM realtime_wall_wall_tweet")]


@pytest.fixture
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture
def machine(migrated_wall, redis):
    """Starts one."""
    with contextlib.ExitStack() as stack:
        started = []

        def start(environment, **options):
            sharing = started[0] if started else None
            started.append(Machine(migrated_wall, redis, environment, sharing=sharing, **options))
            return stack.enter_context(started[-1])

        yield start
        assert "Traceback" not in "".join(one.output for one in started)


class Page:
    """Somebody who looks at the wall on one of the servers."""

    def __init__(self, client):
        self.client = client
        self.heard = []
        client.subscribe("tweets")

    def read_up_to(self, number):
        while len(set(self.heard)) < number - self.heard[0] + 1 if self.heard else True:
            one = self.client.read()
            if one["type"] == "tweet":
                self.heard.append(int(one["message"]["id"]))


def test_while_redis_is_away_posts_are_kept_and_each_is_on_every_page_once(machine, redis):
    environment = {"NUMBERED_EVERY": "0.05"}
    first, second = machine(environment), machine(environment)
    wait_for(first.stored)
    with first.client() as one, second.client() as other:
        pages = [Page(one), Page(other)]
        wait_for_more(first, 20)
        redis.kill()
        end = time.monotonic() + AWAY
        wait_for(lambda: time.monotonic() > end, patience=AWAY + 5)
        stored = max(first.numbers())
        redis.start()
        wait_for(lambda: first.stored() >= stored + 20)
        for page in pages:
            page.read_up_to(stored + 20)

    numbers = first.numbers()
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    for page in pages:
        begin = min(page.heard)
        assert sorted(page.heard) == list(range(begin, begin + len(page.heard))), "none twice, none missing"
    followed = first.output.count("posts followed, 0 did not") + second.output.count("posts followed, 0")
    print(f"\nRedis away for {AWAY} s: {len(pages[0].heard)} and {len(pages[1].heard)} posts, each once")
    assert followed == 1, "some were stored while they could not be told"


def test_when_the_machine_that_feeds_is_killed_another_takes_over(machine):
    environment = {"NUMBERED_EVERY": "0.01"}
    feeder, gaps = machine(environment), []
    for _ in range(KILLS):
        waiting = machine(environment)
        wait_for_more(feeder, 20)
        feeder.stop(signal.SIGKILL)
        killed = time.monotonic()
        wait_for_more(waiting, 1)
        gaps.append(time.monotonic() - killed)
        feeder = waiting
    wait_for_more(feeder, 20)

    print(f"\nkilled {KILLS} times: the longest takeover took {max(gaps):.2f} s")
    numbers = feeder.numbers()
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), "none twice, none missing"
    assert max(gaps) <= 3


def words(x):
    values = [rule["value"] for rule in x.rules if rule["tag"] == "realtime_wall:.visitors"]
    return sorted(word.strip('"') for value in values for word in value.split(" OR "))


def test_one_stream_of_x_serves_the_visitors_of_all_servers_and_survives_the_one_that_has_it(machine):
    wall = {
        "SOURCES": ["x"],
        "TRACK_KEYWORDS": ["#harbour"],
        "BEARER_TOKEN": "token",
        "VISITORS": True,
        "VISITORS_ON_X": 10,
    }
    asked = ["crabs", "gulls", "tides"]
    with FakeX() as x, contextlib.ExitStack() as stack:
        x.script = [x.open_stream] * 10
        servers = [machine({"X_URL": x.url}, wall=wall) for _ in asked]
        visitors = [stack.enter_context(server.client()) for server in servers]
        for visitor, word in zip(visitors, asked, strict=True):
            assert visitor.ask("listen", word)["success"]
        wait_for(lambda: words(x) == asked)
        assert len(x.dials) == len(x.live) == 1

        brought(x, 1, "tides and gulls and crabs")
        for visitor in visitors:
            assert heard(visitor)["id"] == "1"

        servers[0].stop(signal.SIGKILL)
        killed = time.monotonic()
        wait_for(lambda: len(x.dials) == 2)
        took = time.monotonic() - killed
        wait_for(lambda: words(x) == asked[1:])
        brought(x, 2, "gulls and tides once more")
        for visitor in visitors[1:]:
            assert heard(visitor)["id"] == "2"
        assert len(x.dials) == 2

    print(f"\nthe stream of X was taken over in {took:.2f} s")
    assert took <= 3


def brought(x, number, text):
    x.tell(x_line(number, text) | {"matching_rules": [{"tag": "realtime_wall:.visitors"}]})


def heard(visitor):
    return visitor.read_until(lambda one: one["type"] == "tweet")["message"]
