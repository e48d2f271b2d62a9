import socket

import gevent
import pytest

from realtime_wall.wall.sources.rss import rss_source as rss
from realtime_wall.wall.sources.rss.rss_source import RssSource, max_age, retry_after
from realtime_wall.wall.sources.source import SourceGaveUp
from tests.fake_feed import FakeFeed, answer
from tests.wall.fakes import DEADLINE
from tests.wall.sources.contract import Harness, Run, SourceContract, begin

PICTURE = '<media:content medium="image" url="https://files.example/1.png"/>'


class RssHarness(Harness):
    def __init__(self, clock):
        super().__init__(clock)
        self.server = FakeFeed()

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *problem):
        self.server.__exit__(*problem)

    def source(self, cursor="", private_hosts=("127.0.0.1",), **options):
        return RssSource([self.server.url], private_hosts=private_hosts, clock=self.clock, **options)

    def post(self, number, text):
        self.server.put(number, text)

    def post_sensitive(self, number, text):
        self.server.put(number, text, f"{PICTURE}<media:rating>adult</media:rating>")

    def edit(self, number, text):
        self.server.put(number, text)

    def poison(self):
        self.server.items["poison"] = "<item><guid>poison</guid></item>"

    def cut(self):
        self.server.script.append(cut_short)

    def server_error(self):
        self.server.script.append(answer(b"", status=500))

    def rate_limit(self):
        self.server.script.append(answer(b"", {"Retry-After": "3000"}, 429))

    def forbid(self):
        self.server.script.append(answer(b"", status=403))


def cut_short(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss")
    connection.shutdown(socket.SHUT_RDWR)


class TestRss(SourceContract):
    harness = RssHarness
    resumes = False  # what has left the feed is nowhere
    deletions = False  # what has left it has only grown old


@pytest.fixture
def world(clock):
    with RssHarness(clock) as harness:
        yield harness


@pytest.fixture
def run(clock):
    runs = []

    def start(source):
        runs.append(Run(source, clock))
        return runs[-1]

    yield start
    for each in runs:
        each.stop()


def wait_for_requests(world, count):
    with gevent.Timeout(DEADLINE):
        while len(world.server.requests) < count:
            gevent.sleep(0.005)


def test_a_feed_that_has_not_changed_is_not_sent_again(world, run):
    world.server.headers = {"ETag": '"1"', "Last-Modified": "Thu, 14 May 2026 08:50:00 GMT"}
    world.post("1", "first")
    world.server.script = [answer(world.server.body(), world.server.headers), answer(b"", status=304)]
    run_ = begin(world, run)
    wait_for_requests(world, 3)

    first, *later = world.server.requests
    assert "if-none-match" not in first
    for headers in later[:2]:
        assert headers["if-none-match"] == '"1"'
        assert headers["if-modified-since"] == "Thu, 14 May 2026 08:50:00 GMT"
    assert len(run_.posts) == 1


def test_it_is_asked_as_rarely_as_it_wants(world, run, clock):
    world.server.script = [
        answer(b"", status=503),
        answer(b"", {"Retry-After": "5000"}, 503),
        answer(b"", status=500),
        answer(world.server.body(), {"Cache-Control": "public, max-age=7200"}),
        answer(b"", status=304),
        answer(b"", status=500),
    ]
    begin(world, run, every=300)
    wait_for_requests(world, 7)

    seconds = [300, 7200, 300, 60]
    waits = clock.waits[:6]
    assert 60 <= waits[0] <= 66 and waits[1] == 5000 and 240 <= waits[2] <= 264
    assert [waits[3], waits[4]] == seconds[1:3] and 60 <= waits[5] <= 66


def test_what_a_feed_asks_for_has_bounds():
    assert max_age({"Cache-Control": "max-age=99999999"}) == rss.DAY
    assert max_age({"Cache-Control": "max-age=x, no-store"}) == 0
    assert retry_after({"Retry-After": "Fri, 15 Jan 2027 08:10:00 GMT"}, 1_800_000_000.0) == 600.0
    assert retry_after({"Retry-After": "soon"}, 0.0) == 0.0


def test_a_feed_without_end_is_not_read_to_its_end(world, run, monkeypatch, caplog):
    monkeypatch.setattr(rss, "LARGEST", 1000)
    world.server.script = [answer(b"x" * 2000)]
    begin(world, run)
    wait_for_requests(world, 2)

    assert "more than 1000 bytes" in caplog.text


def test_a_feed_that_trickles_is_given_up(world, run, monkeypatch, caplog):
    monkeypatch.setattr(rss, "LONGEST_ANSWER", 0.1)

    def trickle(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        with gevent.Timeout(1, False):
            while True:
                connection.sendall(b" ")
                gevent.sleep(0.02)

    world.server.script = [trickle]
    begin(world, run)
    wait_for_requests(world, 2)

    assert "took too long" in caplog.text


@pytest.mark.threat("S54")
@pytest.mark.parametrize("way", ["straight", "by a redirect"])
def test_neighbours_of_the_server_are_not_asked(world, run, caplog, way):
    """No request reaches it."""
    private = ()
    if way == "by a redirect":
        target = world.server.url.replace("127.0.0.1", "127.0.0.2")
        world.server.script = [answer(b"", {"Location": target}, 302)]
        private = ("127.0.0.1",)
    run_ = begin(world, run, private_hosts=private)
    with gevent.Timeout(DEADLINE):
        while "is private" not in caplog.text:
            gevent.sleep(0.005)
    run_.stop()

    assert [headers["host"].split(":")[0] for headers in world.server.requests[:1]] == list(private)
    assert not [headers for headers in world.server.requests if headers["host"].startswith("127.0.0.2")]


def test_one_feed_that_has_ended_leaves_the_others(world, run, clock):
    world.post("1", "here")
    with FakeFeed() as ended:
        ended.script = [answer(b"", status=410)]
        run_ = run(RssSource([ended.url, world.server.url], private_hosts=("127.0.0.1",), clock=clock))
        run_.wait_for(1)
        wait_for_requests(world, 3)

        assert len(ended.requests) == 1


def test_without_a_feed_there_is_nothing_to_do(clock):
    with pytest.raises(SourceGaveUp, match="RSS_URLS"):
        RssSource([], clock=clock).run(lambda item: None)
