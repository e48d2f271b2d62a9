"""What the feed is promised to do, on a real server. ``make prove`` takes the long runs, and judges how fast.

The figures are printed: ``pytest -s tests/integration/test_feed_figures.py``.
"""

import contextlib
import json
import os
import signal
import sqlite3
import statistics
import threading
import time

import psutil
import pytest

from realtime_wall.wall.feed.feed import WAITING
from tests.browser import ExampleServer
from tests.live import wait_for

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
pytestmark = [pytest.mark.alone] if PROVE else []
POSTS = int(os.environ.get("POSTS", 1_000_000 if PROVE else 3_000))
BY_HUB = POSTS if PROVE else 2_000  # through a hub in another process
STALL = 0.050


class FeedServer(ExampleServer):
    def __init__(self, database, source, *, environment, sharing=None):
        super().__init__("example_wall", database, {"SOURCES": [f"tests.feed_site.sources.{source}"]})
        self.environment |= {"DJANGO_SETTINGS_MODULE": "tests.feed_settings", **environment}
        if sharing:
            for key in ("SITE_DATABASE", "SITE_REALTIME_WALL"):
                self.environment[key] = sharing.environment[key]

    def query(self, sql):
        with contextlib.closing(sqlite3.connect(self.environment["SITE_DATABASE"], timeout=30)) as database:
            return database.execute(sql).fetchall()

    def stored(self):
        """As far as the counting is cheap: ids of rows rise by one."""
        return self.query("SELECT COALESCE(MAX(id), 0) FROM realtime_wall_wall_tweet")[0][0]

    def published(self):
        with self.client() as client:
            return int(client.welcome["cursor"].partition(":")[2])

    def stall(self):
        return json.loads(self.get("/stall/").body)["seconds"]

    def memory(self):
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


def wait_for_more(server, count):
    before = server.stored()
    wait_for(lambda: server.stored() >= before + count)


class Pages:
    """The wall's page, asked for twenty times a second: how long it takes."""

    def __init__(self, server):
        self.times = []
        self._server = server
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _ask(self):
        while not self._done.wait(0.05):
            began = time.perf_counter()
            assert self._server.get("/").status == 200
            self.times.append(time.perf_counter() - began)

    @property
    def p99(self):
        return statistics.quantiles(self.times, n=100)[98]


def test_posts_at_full_speed_are_stored_and_published_beside_the_pages(migrated_wall):
    with FeedServer(migrated_wall, "Flood", environment={"FLOOD": "0"}) as quiet, Pages(quiet) as idle:
        wait_for(lambda: len(idle.times) >= (400 if PROVE else 10), patience=60)

    memory = []
    with FeedServer(migrated_wall, "Flood", environment={"FLOOD": str(POSTS)}) as server:
        wait_for(server.stored)
        server.get("/")  # the first page reads the templates
        server.stall()
        server.stall()
        began, before = time.perf_counter(), server.stored()
        with Pages(server) as busy:

            def finished():
                stored = server.stored()
                memory.append((stored, server.memory()))
                return stored >= POSTS

            wait_for(finished, patience=POSTS / 500)
            rate = (POSTS - before) / (time.perf_counter() - began)
        stall = server.stall()
        wait_for(lambda: server.published() >= POSTS)
        assert server.published() == POSTS
        stored = server.query("SELECT COUNT(*), COUNT(DISTINCT post_id) FROM realtime_wall_wall_tweet")

    later = [megabytes for rows, megabytes in memory if rows > POSTS / 2]
    growth = max(later) - later[0]
    print(
        f"\n{POSTS} posts: {rate:.0f} a second; p99 of a page {busy.p99 * 1000:.1f} ms, idle "
        f"{idle.p99 * 1000:.1f} ms; longest stall {stall * 1000:.1f} ms; memory grew by {growth:.1f} MB"
    )
    assert stored == [(POSTS, POSTS)]
    if PROVE:
        assert growth < 10
        assert rate >= 2000
        assert busy.p99 <= 3 * idle.p99
        assert stall <= STALL


def test_posts_at_full_speed_pass_through_a_hub_in_another_process(migrated_wall):
    """Of two workers one feeds, and the supervisor gives each post its place: one after the other.

    How fast that is depends on how soon three processes have a turn; it is told, and not judged.
    """
    server = FeedServer(migrated_wall, "Flood", environment={"FLOOD": str(BY_HUB)})
    server.command += ["--workers", "2"]
    with server:
        wait_for(server.stored)
        began, before = time.perf_counter(), server.stored()
        wait_for(lambda: server.stored() >= BY_HUB, patience=BY_HUB / 500)
        rate = (BY_HUB - before) / (time.perf_counter() - began)
        wait_for(lambda: server.published() >= BY_HUB)
        assert server.published() == BY_HUB
        stored = server.query("SELECT COUNT(*), COUNT(DISTINCT post_id) FROM realtime_wall_wall_tweet")

    print(f"\n{BY_HUB} posts through a hub in another process: {rate:.0f} a second")
    assert stored == [(BY_HUB, BY_HUB)]


def test_while_the_database_is_locked_pages_stay_and_every_post_is_stored_afterwards(migrated_wall):
    seconds = float(os.environ.get("LOCKED", 600 if PROVE else 3))
    environment = {"NUMBERED_EVERY": "0.02", "SITE_LOCK_TIMEOUT": "2"}
    with FeedServer(migrated_wall, "Numbered", environment=environment) as server:
        wait_for(server.stored)
        # The server's pages would wait for the lock themselves, as any Django's: only its loop is looked at.
        with contextlib.closing(sqlite3.connect(server.environment["SITE_DATABASE"])) as other:
            other.isolation_level = None
            other.execute("BEGIN EXCLUSIVE")
            locked_at = other.execute("SELECT MAX(id) FROM realtime_wall_wall_tweet").fetchone()[0]
            server.stall()
            end = time.monotonic() + seconds
            wait_for(lambda: time.monotonic() > end, patience=seconds + 5)
            stall = server.stall()
            other.execute("COMMIT")
        # Of a long time the feed keeps WAITING posts, and the source waits with the others.
        missed = min(int(seconds / 0.02 / 2), WAITING * 9 // 10)
        wait_for(lambda: server.stored() > locked_at + missed)
        wait_for_more(server, 100)
        numbers = {int(row[0]) for row in server.query("SELECT post_id FROM realtime_wall_wall_tweet")}

    print(f"\nlocked for {seconds:.0f} s: longest stall {stall * 1000:.1f} ms")
    assert numbers == set(range(1, max(numbers) + 1))
    assert stall <= (STALL if PROVE else seconds / 2)


def test_when_the_feeder_is_killed_the_next_server_takes_over(migrated_wall):
    times = 20 if PROVE else int(os.environ.get("KILLS", 1))
    environment = {"NUMBERED_EVERY": "0.01"}
    gaps = []
    with contextlib.ExitStack() as stack:
        feeder = stack.enter_context(FeedServer(migrated_wall, "Numbered", environment=environment))
        for _ in range(times):
            waiting = FeedServer(None, "Numbered", environment=environment, sharing=feeder)
            stack.enter_context(waiting)
            wait_for_more(feeder, 20)
            feeder.stop(signal.SIGKILL)
            killed = time.monotonic()
            wait_for_more(waiting, 1)
            gaps.append(time.monotonic() - killed)
            feeder = waiting
        wait_for_more(feeder, 20)
        numbers = [int(row[0]) for row in feeder.query("SELECT post_id FROM realtime_wall_wall_tweet")]

    print(f"\nkilled {times} times: the longest takeover took {max(gaps):.2f} s")
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), "none twice, none missing"
    assert max(gaps) <= (3 if PROVE else 20)


def test_the_pages_of_a_server_that_waits_are_told_too(migrated_wall):
    environment = {"NUMBERED_EVERY": "0.05"}
    with FeedServer(migrated_wall, "Numbered", environment=environment) as feeder:
        wait_for(feeder.stored)
        with FeedServer(None, "Numbered", environment=environment, sharing=feeder) as waiting:
            with waiting.client() as page, feeder.client() as other:
                for client in (page, other):
                    client.subscribe("tweets")
                heard = [page.read_until(lambda one: one["type"] == "tweet") for _ in range(20)]
                other.read_until(lambda one: one["type"] == "tweet")
            numbers = [int(one["message"]["id"]) for one in heard]

    assert numbers == list(range(numbers[0], numbers[0] + 20))
