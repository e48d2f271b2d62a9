import json
import logging

import gevent
import pytest
from gevent.event import Event

from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.source import SourceGaveUp
from realtime_wall.wall.sources.x import stream as x_module
from realtime_wall.wall.sources.x.stream import XStreamSource
from tests.fake_x import KEEP_ALIVE, FakeX, hang_up, refuse, stream
from tests.wall.fakes import DEADLINE, x_line


class Run:
    """A source in a greenlet, and what it gave."""

    def __init__(self, x, clock, **options):
        self.posts = options.pop("posts", [])
        options.setdefault("backoff", ReconnectBackoff(jitter=lambda: 0.0))
        options.setdefault("stall", 3.0)
        self.source = XStreamSource(
            options.pop("token", "token"), ["tides"], base_url=x.url, clock=clock, **options
        )
        self.greenlet = gevent.spawn(self._run)

    def _run(self):
        try:
            self.source.run(self.posts.append)
        except SourceGaveUp as problem:
            return problem
        return None

    @property
    def ids(self):
        return [post.id for post in self.posts]

    def wait_for(self, count):
        with gevent.Timeout(DEADLINE, AssertionError(f"{self.ids} came")):
            while len(self.posts) < count:
                gevent.sleep(0.005)

    def gave_up(self):
        return self.greenlet.get(timeout=DEADLINE)

    def stop(self):
        self.source.stop()
        self.greenlet.join(timeout=DEADLINE)
        assert self.greenlet.ready()


@pytest.fixture
def run(clock):
    runs = []

    def start(x, **options):
        runs.append(Run(x, clock, **options))
        return runs[-1]

    yield start
    for each in runs:
        each.stop()


def dial_gaps(x):
    return [round(after - before, 2) for before, after in zip(x.dials, x.dials[1:], strict=False)]


def test_posts_come_from_the_stream(run):
    with FakeX([stream(x_line(1), KEEP_ALIVE, x_line(2), end="silence")]) as x:
        run_ = run(x)
        run_.wait_for(2)

    assert [(post.source, post.id, post.author.username) for post in run_.posts] == [
        ("x", "1", "maraquill"),
        ("x", "2", "maraquill"),
    ]


def test_the_stream_is_asked_for_what_a_card_shows(run):
    with FakeX() as x:
        run(x)
        x.wait_for_dials(1)

    method, path, query, _ = x.requests[-1]
    assert (method, path) == ("GET", "/2/tweets/search/stream")
    assert "referenced_tweets.id.author_id" in query["expansions"][0]
    assert {"tweet.fields", "user.fields", "media.fields"} < set(query)
    assert "note_tweet" in query["tweet.fields"][0]


def test_the_rules_are_set_before_the_stream_is_opened(run):
    with FakeX() as x:
        run(x)
        x.wait_for_dials(1)

    assert [(rule["value"], rule["tag"]) for rule in x.rules] == [('"tides"', "realtime_wall")]


def test_rules_are_read_once_not_at_every_dial(run):
    with FakeX([stream(x_line(1)), stream(x_line(2)), stream(x_line(3), end="silence")]) as x:
        run(x).wait_for(3)

    assert sum(path.endswith("/rules") for _, path, _, _ in x.requests) == 2


BAD_LINES = [
    b"{not json\r\n",
    b"[1, 2, 3]\r\n",
    b"null\r\n",
    b'"text"\r\n',
    b'{"data": {"text": "no id"}}\r\n',
    b'{"data": []}\r\n',
    b'{"data": {"id": "1", "text": "\xff\xfe"}}\r\n',
    b'{"errors": [{"title": "operational-disconnect"}]}\r\n',
    b"[" * 100_000 + b"\r\n",
    b'{"data": {"id": ' + b"9" * 5000 + b"}}\r\n",
]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_skipped_and_the_connection_lives(run, line, caplog):
    with FakeX([stream(x_line(1), line, x_line(2), end="silence")]) as x:
        run_ = run(x)
        run_.wait_for(2)

        assert run_.ids == ["1", "2"]
        assert run_.source.skipped == 1
        assert len(x.dials) == 1
    assert [record.levelname for record in caplog.records if "skipped" in record.getMessage()] == ["WARNING"]


def test_odd_lines_are_posts_all_the_same(run):
    no_tag = x_line(1) | {"matching_rules": [{"id": "9"}]}
    separators = x_line(2, "one\u2028two\u0085three")
    with_errors = x_line(3) | {"errors": [{"title": "Not Found Error"}]}
    megabyte = x_line(4, "x" * 1_000_000)
    in_pieces = json.dumps(x_line(5)).encode()
    parts = [no_tag, json.dumps(separators, ensure_ascii=False).encode() + b"\r\n", with_errors, megabyte]
    parts += [in_pieces[:7], in_pieces[7:90], in_pieces[90:] + b"\r", b"\n\r", b"\n"]
    parts += [b"\n\n\r\n" + json.dumps(x_line(6)).encode() + b"\n"]
    with FakeX([stream(*parts, end="silence")]) as x:
        run_ = run(x)
        run_.wait_for(6)

        assert run_.ids == ["1", "2", "3", "4", "5", "6"]
        assert run_.source.skipped == 0
        assert len(x.dials) == 1


def test_a_line_that_breaks_our_reading_is_logged_and_the_next_one_is_read(run, caplog, monkeypatch):
    def broken(payload):
        if payload["data"]["id"] == "1":
            raise ZeroDivisionError
        return from_x(payload)

    from_x = x_module.from_x
    monkeypatch.setattr(x_module, "from_x", broken)
    with FakeX([stream(x_line(1), x_line(2), end="silence")]) as x:
        run_ = run(x)
        run_.wait_for(1)

    assert run_.ids == ["2"]
    assert run_.source.skipped == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("end", ["close", "cut", "reset"])
def test_a_stream_that_ends_after_its_200_is_dialled_by_the_table_of_networks(run, clock, end):
    """tweepy alone dials hundreds of times a second then."""
    with FakeX([stream(end=end)] * 8, clock=clock) as x:
        run(x)
        x.wait_for_dials(9)

    assert dial_gaps(x) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]


def test_a_host_that_hangs_up_is_dialled_by_the_table_of_networks(run, clock):
    with FakeX([hang_up] * 4, clock=clock) as x:
        run(x)
        x.wait_for_dials(5)

    assert dial_gaps(x) == [0.0, 0.25, 0.5, 0.75]


def test_a_connection_that_brought_a_post_starts_the_table_afresh(run, clock):
    with FakeX([stream(), stream(), stream(x_line(1)), stream(), stream(end="silence")], clock=clock) as x:
        run(x)
        x.wait_for_dials(5)

    assert dial_gaps(x) == [0.0, 0.25, 0.0, 0.25]


def test_http_errors_are_waited_for_five_seconds_and_double(run, clock):
    with FakeX([refuse(503), refuse(500)] * 4, clock=clock) as x:
        run(x)
        x.wait_for_dials(9)

    assert dial_gaps(x) == [5, 10, 20, 40, 80, 160, 320, 320]


def test_too_many_requests_are_waited_for_a_minute_and_double(run, clock):
    with FakeX([refuse(429), refuse(420), refuse(429)], clock=clock) as x:
        run(x)
        x.wait_for_dials(4)

    assert dial_gaps(x) == [60, 120, 240]


def test_what_x_says_about_its_rate_limit_is_honoured(run, clock):
    reset = {"x-rate-limit-reset": str(int(clock.now()) + 500)}
    with FakeX([refuse(429, reset), refuse(429, {"x-rate-limit-reset": "soon"})], clock=clock) as x:
        run(x)
        x.wait_for_dials(3)

    assert dial_gaps(x) == [501, 120]


def test_no_quarter_of_an_hour_sees_more_than_fifty_dials(run, clock):
    with FakeX([stream()] * 130, clock=clock) as x:
        run(x)
        x.wait_for_dials(131, deadline=30)

    for dial in x.dials:
        assert sum(dial <= other <= dial + 900 for other in x.dials) <= 50


def test_streams_that_are_begun_again_and_again_share_the_limit(run, clock):
    backoff = ReconnectBackoff(jitter=lambda: 0.0)
    with FakeX(clock=clock) as x:
        for number in range(1, 61):
            run_ = run(x, backoff=backoff)
            x.wait_for_dials(number)
            run_.stop()

    for dial in x.dials:
        assert sum(dial <= other <= dial + 900 for other in x.dials) <= 50


@pytest.mark.parametrize("end", ["silence", "drip"])
def test_a_stall_is_noticed_and_the_stream_dialled_again(run, end):
    with FakeX([stream(x_line(1), end=end), stream(x_line(2), end="silence")]) as x:
        run_ = run(x, stall=0.3)
        run_.wait_for(2)

    assert run_.ids == ["1", "2"]


def test_keep_alives_are_no_stall(run):
    with FakeX([beating]) as x:
        run_ = run(x, stall=0.3)
        run_.wait_for(1)

        assert len(x.dials) == 1


def beating(connection):
    """Keep-alives for more than twice the stall, then a post."""
    stream_head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(stream_head)
    for _ in range(8):
        gevent.sleep(0.1)
        connection.sendall(b"2\r\n\r\n\r\n")
    data = json.dumps(x_line(1)).encode() + b"\r\n"
    connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
    connection.recv(1)


@pytest.mark.parametrize(
    "status, advice", [(400, "TRACK_KEYWORDS"), (401, "BEARER_TOKEN"), (403, "developer console")]
)
def test_what_a_person_has_to_mend_ends_the_source_with_advice(run, clock, status, advice):
    with FakeX([refuse(status, detail="because")], clock=clock) as x:
        problem = run(x).gave_up()

    assert f"X answered {status} (because)" in str(problem)
    assert advice in str(problem)
    assert (len(x.dials), clock.waits) == (1, [])


def test_a_wrong_token_is_told_before_anything_is_dialled(run, caplog):
    with FakeX() as x:
        problem = run(x, token="wrong").gave_up()

    assert "the bearer token is wrong" in str(problem)
    assert x.dials == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_without_a_token_nothing_is_asked_for(run):
    with FakeX() as x:
        problem = run(x, token="").gave_up()

    assert "there is no token" in str(problem)
    assert x.requests == []


def test_a_rule_that_x_refuses_ends_the_source(run):
    with FakeX() as x:
        x.rules_script = [(200, {}), (201, {"errors": [{"title": "Invalid", "details": ["bad operator"]}]})]
        problem = run(x).gave_up()

    assert "bad operator" in str(problem)
    assert x.dials == []


@pytest.mark.parametrize(
    "act, reason",
    [
        (stream(), "X closed the connection"),
        (stream(end="cut"), "the connection to X failed, broke or stalled"),
        (hang_up, "the connection to X failed, broke or stalled"),
        (refuse(503, detail="over capacity"), "X answered 503 (over capacity)"),
    ],
)
def test_the_log_says_why_x_is_dialled_again_and_nothing_alarming(run, caplog, act, reason):
    caplog.set_level(logging.INFO)
    with FakeX([act, stream(x_line(1), end="silence")]) as x:
        run(x).wait_for(1)

    assert f"{reason}; dialling X again in" in caplog.text
    assert "X's stream is connected" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_feed_that_cannot_take_a_post_is_logged_and_the_stream_dialled_again(run, caplog):
    class Full(list):
        def append(self, post):
            if post.id == "1":
                raise ZeroDivisionError("no room")
            super().append(post)

    caplog.set_level(logging.INFO)
    with FakeX([stream(x_line(1)), stream(x_line(2), end="silence")]) as x:
        run_ = run(x, posts=Full())
        run_.wait_for(1)

    assert run_.ids == ["2"]
    assert "reading X's stream failed" in caplog.text
    assert "reading X's stream raised ZeroDivisionError; dialling X again" in caplog.text
    assert "no room" in caplog.text


def test_rules_that_cannot_be_read_are_asked_for_again(run, clock, caplog):
    with FakeX(clock=clock) as x:
        x.rules_script = [(503, {}), (200, {"data": [{"id": "1"}]}), (200, [])]
        run(x)
        x.wait_for_dials(1)

    assert clock.waits == [5.0, 0.0, 0.25]
    assert caplog.text.count("X's rules could not be understood") == 2
    assert [rule["value"] for rule in x.rules] == ['"tides"']


def test_rules_are_looked_at_again_when_x_says_that_they_are_gone(run):
    def lose_rules(connection):
        x.rules.clear()
        refuse(409)(connection)

    with FakeX([lose_rules, stream(end="silence")]) as x:
        run(x)
        x.wait_for_dials(2)

    assert [rule["value"] for rule in x.rules] == ['"tides"']


def test_stopping_ends_a_read_that_waits(run):
    with FakeX() as x:
        run_ = run(x, stall=60)
        x.wait_for_dials(1)
        run_.source.stop()
        run_.greenlet.join(timeout=1)

        assert run_.greenlet.successful()
        assert run_.greenlet.value is None


def test_killing_the_greenlet_ends_the_connection_too(run):
    gone = Event()

    def until_gone(connection):
        stream(end="silence")(connection)
        gone.set()

    with FakeX([until_gone]) as x:
        run_ = run(x, stall=60)
        x.wait_for_dials(1)
        run_.greenlet.kill(timeout=1)

        assert gone.wait(1)
