"""Channels as anybody listens to them: a browser's EventSource, curl, a loop of requests, a WebSocket."""

import json
import shutil
import signal
import subprocess

import gevent
import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.live import PATIENCE, Client, LiveServer, wait_for

RULES = {
    "small": {"MAX_SUBSCRIBERS": 1},
    "known": {"EXISTING_ONLY": True},
    "secret": {"READ": "token"},
    "wall": {"WRITE": "all"},
    "brief": {"HISTORY_SIZE": 2},
}


@pytest.fixture(scope="module")
def server():
    settings = {"CHANNELS": RULES, "LONG_POLL_TIMEOUT": 1, "PING_INTERVAL": 0.5, "JSONP": True}
    with LiveServer(settings=settings) as running:
        yield running
        assert "Traceback" not in running.output


def publish(server, channels, *texts, **query):
    query["channel"], body = channels, "\n".join(texts).encode()
    found = requests.post(f"{server.url}publish/", params=query, data=body, timeout=PATIENCE)
    return found.json()["positions"]


class Stream:
    """An endless response, read line by line."""

    def __init__(self, server, path, **headers):
        self.response = requests.get(server.url + path, headers=headers, stream=True, timeout=PATIENCE)
        assert self.response.status_code == 200
        self.lines = self.response.iter_lines(chunk_size=None)

    def line(self, is_wanted=bool):
        return next(line.decode() for line in self.lines if is_wanted(line))

    def message(self):
        """The next thing of a stream of lines that is no ping."""
        return json.loads(self.line(lambda line: line and json.loads(line)["id"] != -1))

    def event(self):
        """(id, event, data) of the next event that a page would hear of."""
        fields = {}
        for line in self.lines:
            name, _, value = line.decode().partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                return fields.get("id"), fields.get("event"), json.loads(fields["data"])
            else:
                fields = {}
        raise AssertionError("the stream ended")

    def rest(self):
        return b"\n".join(self.lines).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()


def poll(server, path, etag=None):
    headers = {} if etag is None else {"If-None-Match": etag}
    return requests.get(server.url + path, headers=headers, timeout=PATIENCE)


def texts_of(response):
    return [json.loads(line)["text"] for line in response.text.split("\r\n")] if response.text else []


# The ways to listen


def test_an_event_source_hears_and_goes_on_from_its_last_id(server):
    with Stream(server, "events/ev/ev-a/ev-b") as stream:
        publish(server, ["ev-a", "ev-b"], "one")
        first, second = stream.event(), stream.event()
    publish(server, ["ev-a"], "missed", event="said")

    assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert [one[2]["channel"] for one in (first, second)] == ["ev-a", "ev-b"]
    with Stream(server, "events/ev/ev-a/ev-b", **{"Last-Event-ID": second[0]}) as back:
        id, event, data = back.event()
    assert (event, data["text"], data["cursor"]) == ("said", "missed", id)


def test_what_middleware_has_to_say_is_in_the_head_of_a_stream(server):
    with Stream(server, "events/ev/head") as stream:
        headers = stream.response.headers

    assert headers["X-Site"] == "seen"
    assert headers["Cache-Control"] == "no-cache, no-store, must-revalidate"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in headers


def test_curl_shows_a_stream(server):
    if shutil.which("curl") is None:
        pytest.skip("needs curl (Debian: curl)")
    command = ["curl", "-sN", f"{server.url}events/sub/curl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        wait_for(lambda: "GET /events/sub/curl" in server.output)
        publish(server, ["curl"], "hello")
        while (found := json.loads(curl.stdout.readline()))["id"] == -1:
            pass
        curl.kill()

    assert (found["id"], found["channel"], found["text"]) == (1, "curl", "hello")


def test_an_old_client_is_given_a_stream_without_chunks(server):
    with server.talk(f"GET /events/sub/old HTTP/1.0\r\nHost: {server.host}\r\n\r\n".encode()) as conversation:
        status = conversation.stream.readline()
        while conversation.stream.readline() != b"\r\n":
            pass
        publish(server, ["old"], "hello")
        line = conversation.stream.readline()

    assert status == b"HTTP/1.1 200 OK\r\n"
    assert json.loads(line)["id"] in (1, -1)


def test_a_loop_of_long_polls_hears_everything_once_and_in_order(server):
    said = [f"text {number}" for number in range(100)]

    def say():
        for text in said:
            publish(server, ["loop"], text)

    heard, etag = [], poll(server, "events/poll/loop").headers["ETag"]
    speaker = gevent.spawn(say)
    while len(heard) < len(said):
        response = poll(server, "events/lp/loop", etag)
        assert response.status_code in (200, 304)
        heard += texts_of(response)
        etag = response.headers["ETag"]
    speaker.get()

    assert heard == said


def test_a_long_poll_in_vain_is_answered_304(server):
    response = poll(server, "events/lp/quiet")

    assert (response.status_code, response.content) == (304, b"")


def test_a_poll_says_how_long_a_silence_means_nothing(server):
    assert poll(server, "events/poll/quiet").headers["Realtime-Heartbeat"] == "1"


def test_a_poll_is_answered_at_once_with_what_is_new(server):
    first = poll(server, "events/poll/now")
    publish(server, ["now"], "one", "two")
    second = poll(server, "events/poll/now", first.headers["ETag"])
    third = poll(server, "events/poll/now", second.headers["ETag"])

    assert (first.status_code, second.status_code, third.status_code) == (304, 200, 304)
    assert texts_of(second) == ["one", "two"]


def test_a_websocket_hears_and_writes_where_the_rule_lets_it(server):
    with WebSocket(server, "wall") as one, WebSocket(server, "wall/other.b1") as two:
        one.tell("hello")
        assert one.read()["text"] == two.read()["text"] == "hello"
        two.tell("not on other")
        with pytest.raises(ConnectionClosed) as closed:
            two.read()

    assert closed.value.rcvd.code == 1008


class WebSocket(Client):
    """One that is not welcomed."""

    def __init__(self, server, channels, **kwargs):
        self.answers = []
        super().__init__(f"ws://{server.host}/events/ws/{channels}", **kwargs)

    def read(self, timeout=PATIENCE):
        if not self.answers:
            self.answers.append("begun")
            return {"message": {"session": None}}
        return super().read(timeout)


def test_a_frame_may_be_shown_on_our_own_pages(server):
    with Stream(server, "events/sub/frame?streamid=0") as stream:
        assert stream.response.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert stream.response.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.threat("S56")
def test_a_script_is_answered_where_the_setting_allows_it(server):
    publish(server, ["script"], "hello")
    response = poll(server, "events/poll/script.b1?callback=call")
    refused = poll(server, "events/poll/script.b1?callback=alert(1)")

    assert response.text.startswith("/**/call([{")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert refused.status_code == 400


# From where


def test_a_page_rendered_with_a_cursor_misses_nothing(server):
    (since,) = publish(server, ["page"], "on the page")
    publish(server, ["page"], "before the connection")

    with Stream(server, f"events/sub/page?since={since}") as stream:
        assert stream.message()["text"] == "before the connection"


def test_an_event_id_and_a_time_with_its_tag_say_it_too(server):
    publish(server, ["named"], "one", event_id="n1")
    publish(server, ["named"], "two", event_id="n2")
    (first, _) = [json.loads(line) for line in poll(server, "events/poll/named.b2").text.split("\r\n")]

    by_id = poll(server, "events/poll/named?eventid=n1")
    place = {"time": first["time"], "tag": first["tag"]}
    by_time = requests.get(f"{server.url}events/poll/named", params=place, timeout=PATIENCE)
    header = {"If-Modified-Since": first["time"], "If-None-Match": f"W/{first['tag']}"}
    by_header = requests.get(f"{server.url}events/poll/named", headers=header, timeout=PATIENCE)

    assert [texts_of(one) for one in (by_id, by_time, by_header)] == [["two"]] * 3


def test_what_is_no_longer_kept_is_announced_as_a_gap(server):
    (since, *_, lost, kept, last) = publish(server, ["brief"], *"abcde")

    with Stream(server, f"events/sub/brief?since={since}") as stream:
        gap, *rest = (stream.message() for _ in range(3))
    polled, *_ = poll(server, f"events/poll/brief?since={since}").text.split("\r\n")

    assert (gap["id"], gap["channel"], gap["cursor"]) == (-4, "brief", lost)
    assert [one["cursor"] for one in rest] == [kept, last]
    assert json.loads(polled) == gap


def test_a_quiet_listener_is_moved_on_by_pings(server):
    with Stream(server, "events/ev/still") as stream:
        (position,) = publish(server, ["elsewhere"], "unheard")
        assert stream.line(lambda line: line == f"id: {position}".encode())


def test_a_server_that_stops_ends_streams_so_that_they_come_back():
    with LiveServer() as server:
        with Stream(server, "events/ev/news") as stream:
            polling = gevent.spawn(poll, server, "events/lp/news")
            wait_for(lambda: "GET /events/lp/news" in server.output)
            stopping = gevent.spawn(server.stop, signal.SIGTERM)
            stream.rest()  # a cut would raise ChunkedEncodingError
            assert polling.get(timeout=PATIENCE).status_code == 304
            assert stopping.get(timeout=PATIENCE) == 0
        assert "Traceback" not in server.output


@pytest.mark.threat("S27")
@pytest.mark.parametrize(
    "asked", ["ev/a%0d%0aX-Evil:%201", "lp/a?since=%0d%0aX-Evil:%201", "poll/a?eventid=%0d%0aX-Evil:%201"]
)
def test_nothing_that_a_stranger_says_becomes_a_header(server, asked):
    head = b"GET /events/%b HTTP/1.1\r\nHost: %b\r\n" % (asked.encode(), server.host.encode())
    for name in (b"Last-Event-ID", b"If-None-Match", b"Origin", b"Cookie"):
        with server.talk(head + name + b": a\tX-Evil: 1\r\n\r\n") as conversation:
            reply = conversation.reply(has_body=False)

        assert "x-evil" not in reply.headers
        assert all(value.isprintable() for value in reply.headers.values())


# Who may not

EXPLAIN = "X-Nginx-PushStream-Explain"


@pytest.mark.threat("S40")
@pytest.mark.parametrize(
    ("path", "status", "explanation"),
    [
        ("events/ev/", 400, "No channel id provided."),
        ("events/ev", 400, "No channel id provided."),
        ("events/sub/ALL", 403, "Channel id not authorized for this method."),
        ("events/lp/a*", 403, "Channel id not authorized for this method."),
        ("events/poll/" + "a" * 200, 400, "Channel id is too large."),
        ("events/ev/a%20", 400, "Channel id cannot be used: a name neither begins nor ends with a space."),
        ("events/ev/" + "/".join(map(str, range(65))), 403, "More than 64 channels were asked for."),
        ("events/ev/known", 403, "Subscriber could not create channels."),
        ("events/ev/secret", 403, "Channel id not authorized for this method."),
        ("events/ev/secret?token=made:up", 403, "Channel id not authorized for this method."),
        ("events/ev/a?since=nonsense", 400, "'nonsense' is no cursor; one looks like 'epoch:123'"),
    ],
)
def test_what_is_refused_says_why(server, path, status, explanation):
    response = poll(server, path)

    assert (response.status_code, response.headers[EXPLAIN], response.content) == (status, explanation, b"")


def test_a_token_opens_what_asks_for_one(server):
    code = "from realtime_wall import channel_token as t; print(t('secret'))"
    token = server.manage("shell", "-v0", "-c", code).stdout.strip()
    bearer = {"Authorization": f"Bearer {token}"}
    address = f"{server.url}events/poll/secret"

    assert poll(server, f"events/poll/secret?token={token}").status_code == 304
    assert requests.get(address, headers=bearer, timeout=PATIENCE).status_code == 304


def test_a_full_channel_takes_nobody_in(server):
    with Stream(server, "events/ev/small"):
        response = poll(server, "events/ev/small")

    assert response.headers[EXPLAIN] == "Subscribers limit per channel has been exceeded."
    wait_for(lambda: poll(server, "events/poll/small").status_code == 304)


def test_other_methods_are_not_allowed(server):
    response = requests.post(f"{server.url}events/ev/a", timeout=PATIENCE)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET")


@pytest.mark.threat("S31")
@pytest.mark.parametrize("kind", ["ev", "sub", "lp", "poll"])
def test_a_page_of_another_site_hears_and_reads_nothing(server, kind):
    response = requests.get(
        f"{server.url}events/{kind}/a", headers={"Origin": "https://evil.example"}, timeout=PATIENCE
    )

    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.threat("S32")
def test_a_page_of_an_origin_that_is_allowed_may_read_with_its_cookies():
    with LiveServer(settings={"ALLOWED_ORIGINS": ["https://www.example.com"]}) as server:
        headers = {"Origin": "https://www.example.com"}
        preflight = requests.options(f"{server.url}events/ev/a", headers=headers, timeout=PATIENCE)
        response = requests.get(f"{server.url}events/poll/a", headers=headers, timeout=PATIENCE)

    for one in (preflight, response):
        assert one.headers["Access-Control-Allow-Origin"] == "https://www.example.com"
        assert one.headers["Vary"] == "Origin"
    assert preflight.status_code == 200
    assert "Last-Event-ID" in preflight.headers["Access-Control-Allow-Headers"]


def test_a_websocket_is_told_why_by_its_close(server):
    with WebSocket(server, "secret") as client, pytest.raises(ConnectionClosed) as closed:
        client.read()

    assert closed.value.rcvd.code == 1008
    assert json.loads(closed.value.rcvd.reason)["http_status"] == 403


def test_a_hundred_listeners_that_only_connect_and_go_leave_nothing(server):
    for _ in range(100):
        server.raw(f"GET /events/ev/churn HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()).close()

    publish(server, ["churn"], "hello")
    assert poll(server, "events/poll/churn.b1").status_code == 200
