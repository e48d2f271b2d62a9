"""What nginx push stream's own examples expect of a publisher, a subscriber and the statistics.

Each test is a fact that several of them look at; tests/push_stream.txt says which. The site is in this
process.
"""

import gzip
import json
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import override_settings

from realtime_wall import checks
from realtime_wall.testing import Realtime
from tests import push_stream
from tests.fakes import no_receivers

CHANNELS = {
    "nothing": {"HISTORY_SIZE": 0},
    "four": {"HISTORY_SIZE": 4},
    "known": {"EXISTING_ONLY": True},
    "full": {"MAX_SUBSCRIBERS": 1},
    "two*": {"WILDCARDS": 1},
    "formed": {
        "MESSAGE_TEMPLATE": "~id~|~channel~|~text~|~event-id~|~event-type~|~size~",
        "HEADER_TEMPLATE": "a\nb\\nc",
        "FOOTER_TEMPLATE": "c\nd",
        "PING_TEXT": "still here",
    },
    "pinged": {
        "MESSAGE_TEMPLATE": "~id~ ~text~",
        "PING_TEMPLATE": "~id~ ~channel~ ~text~",
        "PING_TEXT": "well?",
    },
    "filed": {"HEADER_TEMPLATE": Path(__file__).read_text()},
}
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
SETTINGS = {"PUBLISH_FROM_LOOPBACK": True, "CHANNELS": CHANNELS, "MESSAGE_SIZE": 5000, "JSONP": True}


class Site:
    """Speaks HTTP with the site in this process."""

    def __init__(self, realtime):
        self.realtime = realtime

    def open(self, method, path, body=None, **headers):
        http = HTTPConnection(self.realtime.host)
        http.sock = self.realtime._remembered(self.realtime._open(None))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        http.request(method, path, body, named)
        return http

    def ask(self, method, path, body=None, **headers):
        """A whole answer."""
        response = self.open(method, path, body, **headers).getresponse()
        text = response.read().decode()
        explained = response.headers["X-Nginx-PushStream-Explain"]
        return SimpleNamespace(status=response.status, headers=response.headers, text=text, why=explained)

    def listen(self, path, **headers):
        return Stream(self, self.open("GET", path, **headers))

    def publish(self, channel, *texts, **headers):
        for text in texts:
            assert self.ask("POST", f"/events/pub/{channel}", text, **headers).status == 200

    def stats(self, selection=""):
        return json.loads(self.ask("GET", f"/events/stats/{selection}").text)


class Stream:
    """An answer that goes on."""

    def __init__(self, site, http):
        self.site, self._socket, self._raw = site, http.sock, b""
        while b"\r\n\r\n" not in self._raw:
            self._raw += self._socket.recv(65536)
        head, _, self._raw = self._raw.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = dict(field.split(": ", 1) for field in fields)

    def text(self):
        """All that it has brought since it was last asked."""
        self.site.realtime.settle()
        self._socket.settimeout(0.02)
        try:
            while piece := self._socket.recv(65536):
                self._raw += piece
        except TimeoutError:  # nothing more for now
            pass
        found = b""
        while self._raw:
            size, _, rest = self._raw.partition(b"\r\n")
            found += rest[: int(size, 16)]
            self._raw = rest[int(size, 16) + 2 :]
        return found.decode()

    def items(self):
        return [json.loads(line) for line in self.text().splitlines()]

    def heard(self):
        return [(item["id"], item["channel"], item["text"]) for item in self.items()]


@pytest.fixture
def site(request):
    settings = {**SETTINGS, **getattr(request, "param", {})}
    with override_settings(REALTIME_WALL=settings), no_receivers(), Realtime() as realtime:
        yield Site(realtime)


def with_settings(**settings):
    return pytest.mark.parametrize("site", [settings], indirect=True, ids=str)


# The table


def test_each_example_is_proved_or_named_with_a_reason():
    for row in push_stream.rows():
        assert row.fact and bool(row.proofs) is not bool(row.reason), row
        assert row.missing() == [], row


def test_all_270_are_there_and_at_least_240_are_proved():
    rows = push_stream.rows()

    assert len(rows) == 270
    assert sum(bool(row.proofs) for row in rows) >= 240


# The publisher


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/events/pub/", "/events/pub/?id="])
def test_without_a_channel_nothing_is_published_or_deleted(site, method, path):
    answer = site.ask(method, path, "hello")

    assert (answer.status, answer.why, answer.text) == (400, "No channel id provided.", "")


def test_a_channel_is_described_once_it_is_there(site):
    assert site.ask("GET", "/events/pub/?id=news").status == 404
    posted = site.ask("POST", "/events/pub/?id=news", "hello")
    assert (posted.status, json.loads(posted.text)["channel"]) == (200, "news")

    told = json.loads(site.ask("GET", "/events/pub/?id=news").text)
    assert told == {"channel": "news", "published_messages": 1, "stored_messages": 1, "subscribers": 0}


def test_methods_of_a_publisher(site):
    statuses = {method: site.ask(method, "/events/pub/news", "x").status for method in ("PUT", "POST", "GET")}
    refused = site.ask("HEAD", "/events/pub/news")

    assert statuses == {"PUT": 200, "POST": 200, "GET": 200}
    assert site.ask("DELETE", "/events/pub/news").status == 200
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, POST, PUT, DELETE, OPTIONS")


@pytest.mark.parametrize("name", ["ALL", "new*s", "*news", "news*", "two*"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_names_that_mean_several_are_not_published_on(site, name, method):
    answer = site.ask(method, f"/events/pub/?id={name}", "x")

    assert (answer.status, answer.text) == (403, "")
    assert answer.why == "Channel id not authorized for this method."


@pytest.mark.parametrize(("size", "status"), [(1, 200), (4998, 200), (4999, 413), (60_000, 413)])
def test_a_message_has_a_size(site, size, status):
    assert site.ask("POST", "/events/pub/news", "x" * size).status == status


@pytest.mark.parametrize(("channel", "kept"), [("news", 7), ("nothing", 0), ("four", 4)])
def test_so_many_are_stored_as_the_rule_says(site, channel, kept):
    site.publish(channel, *"abcdefg")

    assert site.stats(channel)["stored_messages"] == kept if kept else True


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_name_has_a_length(site, method):
    answer = site.ask(method, f"/events/pub/{'x' * 129}", "x")

    assert (answer.status, answer.why) == (400, "Channel id is too large.")


@with_settings(MAX_CHANNELS=1)
def test_channels_are_limited(site):
    site.publish("one", "a", "b")

    for answer in (site.ask("POST", "/events/pub/two", "x"), site.ask("GET", "/events/sub/two")):
        assert (answer.status, answer.why) == (403, "Number of channels were exceeded.")
    site.publish("one", "c")
    assert site.listen("/events/sub/one").status == 200


@with_settings(ALLOWED_ORIGINS=["https://other.example"])
def test_an_allowed_origin_may_read_the_answers(site):
    site.publish("news", "a")
    for path in ("/events/pub/news", "/events/poll/news", "/events/stats/news"):
        plain = site.ask("GET", path).headers
        allowed = site.ask("GET", path, Origin="https://other.example").headers

        assert plain["Access-Control-Allow-Origin"] is None
        assert allowed["Access-Control-Allow-Origin"] == "https://other.example"
        assert "GET" in allowed["Access-Control-Allow-Methods"]
        for name in ("If-Modified-Since", "If-None-Match", "Event-Id", "Event-Type", "Last-Event-ID"):
            assert name in allowed["Access-Control-Allow-Headers"].split(",")


def test_nothing_is_kept_on_the_way(site):
    site.publish("news", "a")
    answers = [site.ask("GET", f"/events/{one}/news.b1") for one in ("poll", "lp")]
    answers += [site.ask("GET", "/events/pub/news"), site.ask("GET", "/events/stats/news")]
    streams = [site.listen(f"/events/{one}/news") for one in ("sub", "ev")]
    streams.append(site.listen("/events/ws/news", **HANDSHAKE))

    for answer in (*answers, *streams):
        assert answer.headers["Expires"] == "Thu, 01 Jan 1970 00:00:01 GMT"
        assert answer.headers["Cache-Control"] == "no-cache, no-store, must-revalidate"


def test_one_post_reaches_several_channels(site):
    streams = [site.listen(f"/events/sub/{name}") for name in ("a", "b", "c")]
    site.publish("a/b/c", "hello")

    assert [stream.heard() for stream in streams] == [[(1, name, "hello")] for name in ("a", "b", "c")]


def test_a_deleted_channel_is_told_to_all_who_listen_and_gone(site):
    site.publish("a", "kept")
    both, alone = site.listen("/events/sub/a/b"), site.listen("/events/sub/a")
    poll = site.open("GET", "/events/lp/a/b")
    site.realtime.settle()

    answer = site.ask("DELETE", "/events/pub/a", "no more")

    assert (answer.status, answer.text, answer.why) == (200, "", "Channel deleted.")
    assert both.heard() == alone.heard() == [(-2, "a", "no more")]
    assert json.loads(poll.getresponse().read())["text"] == "no more"
    site.publish("b", "goes on")
    assert [text for _, _, text in both.heard()] == ["goes on"]
    assert site.ask("GET", "/events/stats/a").status == 404
    again = site.ask("DELETE", "/events/pub/a")
    assert (again.status, again.text) == (404, "")


def test_several_channels_are_deleted_at_once_though_one_is_not_there(site):
    site.publish("a/b/c", "x")

    answer = site.ask("DELETE", "/events/pub/?id=c/missing/a")

    assert (answer.status, answer.why) == (200, "Channel deleted.")
    assert [one["channel"] for one in site.stats("ALL")["infos"]] == ["b"]


def test_a_channel_may_be_deleted_and_begin_again(site):
    stream = site.listen("/events/sub/a/b")
    for text in ("first", "second"):
        site.publish("a", text)
        assert site.ask("DELETE", "/events/pub/a").status == 200

    assert [text for _, _, text in stream.heard()] == ["first", "Channel deleted"]
    assert site.listen("/events/sub/a.b5").heard() == []


def test_the_footer_ends_a_stream_whose_channel_is_deleted(site):
    site.publish("formed", "x")
    stream = site.listen("/events/sub/formed")
    assert stream.text() == "a\nb\\nc\r\n"

    site.ask("DELETE", "/events/pub/formed")

    assert stream.text().endswith("c\nd\r\n")


# What is published


@pytest.mark.parametrize(
    "text",
    ["1", "x" * 4000, "Grüße, 世界 🎉", "~id~ ~text~ ~channel~" * 50, "\x01\x02\t\\n%s<&>", '"quoted"'],
)
def test_a_text_arrives_as_it_was_sent(site, text):
    streams = [site.listen(f"/events/{one}/news") for one in ("sub", "ev")]
    poll = site.open("GET", "/events/lp/news")
    site.realtime.settle()
    site.publish("news", text.encode())

    assert streams[0].heard() == [(1, "news", text)]
    event = next(line for line in streams[1].text().split("\n") if line.startswith("data: {"))
    assert json.loads(event.removeprefix("data: "))["text"] == text
    assert json.loads(poll.getresponse().read())["text"] == text
    formed = site.listen("/events/sub/formed")
    formed.text()
    site.publish("formed", text.encode())
    assert formed.text().strip("\r\n") == f"1|formed|{text}|||{len(text.encode())}"


def test_many_messages_of_a_channel_come_in_order(site):
    stream = site.listen("/events/sub/news")
    site.publish("news", *map(str, range(100)))

    assert stream.heard() == [(number + 1, "news", str(number)) for number in range(100)]


def test_an_id_and_a_type_are_given_by_headers_of_exactly_these_names(site):
    stream, formed = site.listen("/events/sub/news"), site.listen("/events/sub/formed")
    for channel in ("news", "formed"):
        site.publish(channel, "a", Event_Id="e1", Event_Type="said")
        site.publish(channel, "b", Event_Ids="e2", Event_="e3")

    first, second = stream.items()
    assert (first["eventid"], first["event"]) == ("e1", "said")
    assert second["eventid"] == "" and "event" not in second
    assert formed.text().split("\r\n")[1:3] == ["1|formed|a|e1|said|1", "2|formed|b|||1"]


# Subscribers


@pytest.mark.parametrize("way", ["sub", "ev", "lp", "poll"])
@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("", 400, "No channel id provided."),
        ("ALL", 403, "Channel id not authorized for this method."),
        ("new*s", 403, "Channel id not authorized for this method."),
        ("news*", 403, "Channel id not authorized for this method."),
        ("two.a*/two.b*", 403, "Channel id not authorized for this method."),
        ("x" * 129, 400, "Channel id is too large."),
        ("known", 403, "Subscriber could not create channels."),
        ("/".join(map(str, range(65))), 403, "More than 64 channels were asked for."),
    ],
)
def test_what_cannot_be_listened_to_says_why(site, way, path, status, why):
    answer = site.ask("GET", f"/events/{way}/{path}")

    assert (answer.status, answer.why, answer.text) == (status, why, "")


@pytest.mark.parametrize("way", ["sub", "ev", "lp", "poll"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_methods_of_a_subscriber(site, way, method):
    answer = site.ask(method, f"/events/{way}/news")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


def test_a_channel_that_has_to_exist_is_listened_to_once_it_has_messages(site):
    site.publish("known", "a")
    assert site.listen("/events/sub/known.b1/two*").heard() == [(1, "known", "a")]
    site.realtime.node.broker.delete("known")

    assert site.ask("GET", "/events/sub/known/two*").why == "Subscriber could not create channels."


def test_a_channel_that_nobody_has_published_on_may_be_listened_to(site):
    assert site.listen("/events/sub/new").heard() == []
    assert site.stats("new")["subscribers"] == 1


def test_so_many_listen_to_a_channel_and_no_more(site):
    site.listen("/events/sub/full")
    answer = site.ask("GET", "/events/sub/full")

    assert (answer.status, answer.why) == (403, "Subscribers limit per channel has been exceeded.")


def test_a_name_may_look_nearly_like_a_look_back(site):
    for name in ("a.b", "a.bx", "a.b.c"):
        site.publish(name, "x")
        assert site.listen(f"/events/sub/{name}.b1").heard() == [(1, name, "x")]


def test_several_channels_are_one_stream(site):
    stream = site.listen("/events/sub/a/b/two*")
    site.publish("a", "1")
    site.publish("b", "2")
    site.publish("two.later", "3")

    assert stream.heard() == [(1, "a", "1"), (1, "b", "2"), (1, "two.later", "3")]
    assert stream.headers["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize(
    ("way", "kind"),
    [("sub", "application/json; charset=utf-8"), ("ev", "text/event-stream; charset=utf-8")],
)
def test_the_kind_of_an_answer_is_told(site, way, kind):
    assert site.listen(f"/events/{way}/news").headers["Content-Type"] == kind


@pytest.mark.parametrize("way", ["sub", "ev", "lp", "poll"])
def test_old_messages_are_told_by_number_time_tag_id_or_cursor(site, way):
    site.publish("a", "1", Event_Id="one")
    site.publish("b", "2")
    site.publish("a", "3")
    first, second, third = site.listen("/events/sub/a.b2/b.b1").items()

    def told(query="", path="a/b", **headers):
        address = f"/events/{way}/{path}{query}"
        if way in ("sub", "ev"):
            text = site.listen(address, **headers).text()
        else:
            text = site.ask("GET", address, **headers).text
        lines = (line.removeprefix("data: ") for line in text.replace("\r", "").split("\n"))
        return [json.loads(line)["text"] for line in lines if line.startswith("{")]

    assert told(path="a.b1/b.b1") == ["2", "3"]
    assert told(Last_Event_ID="one") == ["2", "3"]
    assert told("?eventid=one") == ["2", "3"]
    assert told(If_Modified_Since=first["time"], If_None_Match=second["tag"]) == ["3"]
    assert told(f"?time={first['time'].replace(' ', '%20')}&tag={second['tag']}") == ["3"]
    assert told(f"?since={first['cursor']}") == ["2", "3"]
    assert told(path="a.b1/b", If_Modified_Since=first["time"], If_None_Match=second["tag"]) == ["3"]
    assert (third["id"], third["text"]) == (2, "3")


@pytest.mark.parametrize("mode", ["long-polling", "polling"])
def test_the_mode_may_be_said_by_a_header(site, mode):
    site.publish("news", "a")
    answer = site.ask("GET", "/events/sub/news.b1", X_Nginx_PushStream_Mode=mode)

    assert json.loads(answer.text)["text"] == "a"
    assert answer.headers["ETag"] and answer.headers["Last-Modified"]


def test_a_poll_without_news_is_304_and_keeps_where_the_client_is(site):
    first = site.ask("GET", "/events/poll/news")
    again = site.ask("GET", "/events/poll/news", If_None_Match=first.headers["ETag"])

    assert first.status == again.status == 304
    assert first.headers["ETag"] == again.headers["ETag"]
    assert again.headers["Last-Modified"] and again.text == ""


@pytest.mark.parametrize("way", ["lp", "poll"])
def test_a_callback_makes_one_script_of_all(site, way):
    site.publish("a", "1", "2")
    site.publish("b", "3")
    answer = site.ask("GET", f"/events/{way}/a.b2/b.b1?callback=show")

    assert answer.headers["Content-Type"] == "application/javascript; charset=utf-8"
    call = answer.text.removeprefix("/**/show(").removesuffix(");")
    assert [one["text"] for one in json.loads(call)] == ["1", "2", "3"]


def test_an_event_stream_has_comments_for_header_and_footer_and_lines_of_data(site):
    stream = site.listen("/events/ev/formed")
    opening = stream.text().split("\n")
    assert opening[:2] == [": a", ": b\\nc"]
    site.publish("formed", "one\r\ntwo\nthree\\n", Event_Id="e", Event_Type="said")

    lines = stream.text().split("\n")
    assert lines[1:5] == ["event: said", "data: 1|formed|one", "data: two", "data: three\\n|e|said|16"]
    site.ask("DELETE", "/events/pub/formed")
    assert stream.text().endswith(": c\n: d\n")


def test_the_header_may_be_a_file_s(site):
    stream = site.listen("/events/sub/filed")

    assert stream.text() == Path(__file__).read_text() + "\r\n"


@with_settings(PING_INTERVAL=0.1)
@pytest.mark.parametrize("path", ["sub/pinged", "ev/pinged?unnamed"])
def test_a_ping_has_a_template(site, path):
    stream = site.listen(f"/events/{path}")
    text = stream.text()
    while "-1  well?" not in text:
        text += stream.text()

    assert '"text":"well?"' not in text


@with_settings(PING_INTERVAL=0.1)
@pytest.mark.parametrize(
    ("path", "ping"), [("sub/formed", '"text":"still here"'), ("sub/news", '"id":-1'), ("ev/news", ": -1\n")]
)
def test_a_silent_stream_is_pinged(site, path, ping):
    stream = site.listen(f"/events/{path}")
    text = stream.text()
    while ping not in text:
        text += stream.text()

    assert ping in text


@with_settings(CONNECTION_AGE=0.3, LONG_POLL_TIMEOUT=0.1, PING_INTERVAL=10)
@pytest.mark.parametrize("path", ["sub/news", "ev/news", "lp/news"])
def test_what_has_lasted_for_long_enough_ends(site, path):
    answer = site.ask("GET", f"/events/{path}")  # it ends by itself

    assert answer.status == (304 if path.startswith("lp") else 200)
    assert "-1" not in answer.text


def test_many_requests_share_a_connection(site):
    http = site.open("POST", "/events/pub/a", "1")
    statuses = []
    for method, path in [
        ("POST", "/events/pub/b"),
        ("GET", "/events/stats/"),
        ("GET", "/events/poll/a.b1"),
        ("DELETE", "/events/pub/a"),
        ("GET", "/events/pub/a"),
        ("GET", "/events/stats/ALL"),
    ]:
        response = http.getresponse()
        response.read()
        statuses.append(response.status)
        http.request(method, path, "x" if method == "POST" else None)
    assert statuses == [200, 200, 200, 200, 200, 404]
    assert json.loads(http.getresponse().read())["channels"] == 1


# Statistics


def test_statistics_of_what_is_there_and_what_is_not(site):
    assert site.ask("GET", "/events/stats/news").status == 404
    assert (site.stats()["channels"], site.stats("ALL")["infos"]) == (0, [])
    stream = site.listen("/events/sub/other")
    site.publish("news", "a", "b")
    site.publish("two.x", "c")

    assert site.stats("news") == {
        "channel": "news",
        "published_messages": 2,
        "stored_messages": 2,
        "subscribers": 0,
    }
    assert site.stats("other")["subscribers"] == 1
    assert [one["channel"] for one in site.stats("ALL")["infos"]] == ["news", "other", "two.x"]
    assert [one["channel"] for one in site.stats("*")["infos"]] == ["news", "other", "two.x"]
    assert [one["channel"] for one in site.stats("ne*")["infos"]] == ["news"]
    assert site.stats("missing_*")["infos"] == []
    summary = site.stats()
    assert (summary["channels"], summary["published_messages"], summary["subscribers"]) == (3, 3, 1)
    assert summary["by_worker"][0]["subscribers"] == 1 and "uptime" in summary["by_worker"][0]
    assert [one["channel"] for one in site.stats("news/missing/other")["infos"]] == ["news", "other"]
    assert stream.headers["Content-Type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_methods_of_statistics(site, method):
    assert site.ask(method, "/events/stats/").status == 405


@pytest.mark.parametrize(
    ("accept", "kind", "part"),
    [
        ("*/*", "application/json", '"stored_messages": 1'),
        ("text/plain", "text/plain", "stored_messages: 1"),
        ("application/json", "application/json", '"stored_messages": 1'),
        ("application/yaml", "application/yaml", "stored_messages: 1"),
        ("application/xml", "application/xml", "<stored_messages>1</stored_messages>"),
        ("text/x-json", "application/json", '"stored_messages": 1'),
        ("text/x-yaml", "text/x-yaml", "stored_messages: 1"),
    ],
)
def test_statistics_come_in_the_form_that_is_asked_for(site, accept, kind, part):
    site.publish("news", "a")
    answer = site.ask("GET", "/events/stats/news", Accept=accept)

    assert answer.headers["Content-Type"].startswith(kind)
    assert part.replace(" ", "") in answer.text.replace(" ", "")


@with_settings(CHANNEL_INFO_ON_PUBLISH=False)
def test_a_post_may_be_answered_by_nothing(site):
    answer = site.ask("POST", "/events/pub/news", "x")

    assert (answer.status, answer.text) == (200, "")
    assert site.stats("news")["stored_messages"] == 1


def test_names_whose_hashes_are_the_same_are_two_channels(site):
    for name in ("plumless", "buckeroo"):  # by CRC-32, which nginx has for its tree
        site.publish(name, f"for {name}")

    for name in ("plumless", "buckeroo"):
        assert json.loads(site.ask("GET", f"/events/poll/{name}.b5").text)["text"] == f"for {name}"


@override_settings(MIDDLEWARE=["django.middleware.gzip.GZipMiddleware"])
def test_what_is_there_is_compressed_where_the_site_says_so():
    long = "x" * 100  # less than 200 bytes are sent as they are
    with override_settings(REALTIME_WALL=SETTINGS), no_receivers(), Realtime() as realtime:
        site = Site(realtime)
        for method, path, body in [
            ("POST", f"/events/pub/{long}/a", "y" * 300),
            ("GET", f"/events/pub/{long}/a", None),
            ("GET", f"/events/poll/{long}.b1", None),
            ("GET", f"/events/lp/{long}.b1", None),
        ]:
            response = site.open(method, path, body, **{"Accept-Encoding": "gzip"}).getresponse()

            assert response.headers["Content-Encoding"] == "gzip", path
            assert long in gzip.decompress(response.read()).decode()


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"MESSAGE_TEMPLATE": ""}, "empty"),
        ({"WRITE": "websocket"}, "cannot be 'websocket'"),  # a kind of publisher that is none
        ({"HEADER_TEMPLATE": "x", "HEADER_TEMPLATE_FILE": "y"}, "not an option"),
        ({"HEADER_TEMPLATE": Path("missing")}, "cannot be"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(rule, problem):
    with override_settings(REALTIME_WALL={"CHANNELS": {"news": rule}}):
        (found,) = checks.check_settings()

    assert problem in found.msg
