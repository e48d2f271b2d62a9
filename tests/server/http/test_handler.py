"""HTTP as the whole server speaks it: time limits, keep-alive, bodies, and who may say what."""

import json
import re
import socket
import struct
import time
from types import SimpleNamespace

import pytest

from realtime_wall.server.http.handler import JOINED, Handler
from tests.live import LiveServer, wait_for
from tests.server.conftest import access_lines
from tests.server.heads import get, post


def request(path, *headers, method="GET", version="1.1"):
    return get(*headers, line=f"{method} {path} HTTP/{version}".encode())


# Time


@pytest.mark.threat("S15")
def test_a_head_that_is_not_finished_in_time_is_answered_408(server, new_output):
    begun = time.monotonic()

    with server.talk(b"GET /hello/ HTTP/1.1\r\nHost: loc") as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert (reply.status, reply.headers["connection"], rest) == (408, "close", b"")
    assert 0.4 < time.monotonic() - begun < 5
    assert access_lines(new_output()) == [("the request head took too long", "408")]


def test_a_request_line_that_is_not_finished_in_time_is_answered_408(server):
    with server.talk(b"GET /hel") as conversation:
        assert conversation.reply().status == 408


@pytest.mark.threat("S15")
def test_a_head_that_arrives_byte_by_byte_has_no_more_time(server):
    begun = time.monotonic()

    with server.talk(b"GET /hello/ HTTP/1.1\r\n") as conversation:
        conversation.connection.settimeout(0.05)
        while time.monotonic() - begun < 10:
            conversation.send(b"A: b\r\n")
            try:
                status_line = conversation.connection.recv(100)
            except TimeoutError:
                continue
            break

    assert status_line.startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_never_says_anything_is_closed_quietly(server, new_output):
    with server.talk() as conversation:
        assert conversation.rest() == b""

    assert new_output() == ""


def test_a_kept_connection_that_falls_silent_is_closed_quietly_and_later(server):
    with server.talk(request("/hello/")) as conversation:
        assert conversation.reply().body == b"hello"
        begun = time.monotonic()
        assert conversation.rest() == b""

    assert 0.9 < time.monotonic() - begun < 5  # KEEP_ALIVE, not HEAD_TIMEOUT


@pytest.mark.threat("S15")
def test_a_body_that_stops_in_the_middle_ends_the_connection(server):
    with server.talk(post(b"Content-Length: 10") + b"12345") as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert (reply.status, reply.headers["connection"], rest) == (400, "close", b"")


@pytest.mark.threat("S15")
def test_a_body_that_arrives_byte_by_byte_has_no_more_time(server):
    with server.talk(post(b"Content-Length: 100")) as conversation:
        conversation.connection.settimeout(0.05)
        begun = time.monotonic()
        while time.monotonic() - begun < 4:
            conversation.send(b"a")
            try:
                status_line = conversation.connection.recv(100)
            except TimeoutError:
                continue
            break

    assert status_line.startswith(b"HTTP/1.1 400 ")


# Keep-alive


def test_a_connection_is_kept_for_the_next_request(server):
    with server.talk(request("/hello/")) as conversation:
        first = conversation.reply()
        conversation.send(request("/user/"))
        second = conversation.reply()

    assert "connection" not in first.headers
    assert second.body == b"user AnonymousUser"


@pytest.mark.threat("S26")
def test_pipelined_requests_are_answered_in_order(server):
    count = 50
    data = b"".join(request(f"/meta/?{number}") for number in range(count))

    with server.talk(data) as conversation:
        asked = [json.loads(conversation.reply().body)["QUERY_STRING"] for _ in range(count)]

    assert asked == [str(number) for number in range(count)]


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close", "close , TE"])
def test_a_client_that_asks_for_the_end_is_told_of_it(server, value):
    with server.talk(request("/hello/", f"Connection: {value}".encode())) as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert [one for one in reply.head if one[0] == "connection"] == [("connection", "close")]
    assert rest == b""


def test_http_1_0_is_closed_after_one_answer_and_told_so(server):
    with server.talk(request("/hello/", version="1.0")) as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert [one for one in reply.head if one[0] == "connection"] == [("connection", "close")]
    assert rest == b""


def test_http_1_0_is_kept_when_it_asks_for_that(server):
    with server.talk(request("/hello/", b"Connection: Keep-Alive", version="1.0")) as conversation:
        assert conversation.reply().headers["connection"] == "keep-alive"
        conversation.send(request("/user/", version="1.0"))
        assert conversation.reply().body == b"user AnonymousUser"


# HEAD


@pytest.mark.parametrize("path", ["/hello/", "/stream/", "/nowhere/"])
def test_head_is_answered_without_a_body(server, path):
    with server.talk(request(path, method="HEAD") + request("/user/")) as conversation:
        head = conversation.reply(has_body=False)
        following = conversation.reply()

    assert head.status in (200, 404)
    assert following.body == b"user AnonymousUser"


def test_head_has_the_headers_of_get(server):
    with server.talk(request("/hello/", method="HEAD") + request("/hello/")) as conversation:
        head, page = conversation.reply(has_body=False), conversation.reply()

    assert {**head.headers, "date": ""} == {**page.headers, "date": ""}
    assert head.headers["content-length"] == "5"


def test_a_streaming_answer_goes_out_in_chunks(server):
    with server.talk(request("/stream/") + request("/user/")) as conversation:
        page, following = conversation.reply(), conversation.reply()

    assert (page.headers["transfer-encoding"], page.body) == ("chunked", b"one two")
    assert following.body == b"user AnonymousUser"


# Bodies


def test_a_body_is_read_by_its_length(server):
    with server.talk(post(b"Content-Length: 5") + b"12345" + request("/user/")) as conversation:
        assert conversation.reply().body == b"12345"
        assert conversation.reply().body == b"user AnonymousUser"


def test_a_chunked_body_is_read_and_the_connection_kept(server):
    body = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    head = get(b"Transfer-Encoding: chunked", line=b"POST /raw/ HTTP/1.1")

    with server.talk(head + body + request("/user/")) as conversation:
        assert conversation.reply().body == b"abcde"
        assert conversation.reply().body == b"user AnonymousUser"


CHUNKS = {
    "a prefix": b"0x3\r\nabc",
    "a sign": b"-3\r\nabc",
    "a plus": b"+3\r\nabc",
    "a space behind": b"3 \r\nabc",
    "a space before": b" 3\r\nabc",
    "no size": b"\r\nabc",
    "only an extension": b";a=b\r\nabc",
    "no digit": b"g\r\nabc",
    "an underscore": b"1_0\r\nabc",
    "too many digits": b"F" * 20 + b"\r\nabc",
    "bare LF": b"3\nabc",
    "bare CR": b"3\rabc",
    "LF and CRLF": b"3\n\r\nabc",
    "an extension without a name": b"3;\r\nabc",
    "an extension with brackets": b"3;a[b=c\r\nabc",
    "an extension with NUL": b"3;a\0b\r\nabc",
    "an extension with bare LF": b"3;a\nb\r\nabc",
    "an extension with bare CR": b"3;a\rb\r\nabc",
    "an open quote": b'3;a="b\r\nabc',
    "a long extension": b"3;a=" + b"b" * 9000 + b"\r\nabc",
    "more than it says": b"3\r\nabcd",
    "bare LF behind a chunk": b"3\r\nabc\n0\r\n\r\n",
    "a trailer without a name": b"3\r\nabc\r\n0\r\n: b\r\n",
    "a trailer with bare LF": b"3\r\nabc\r\n0\r\nA: b\n",
    "a trailer that says how it is sent": b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n",
    "a trailer that says how long it is": b"3\r\nabc\r\n0\r\nContent-length: 3\r\n",
    "a trailer that says whose it is": b"3\r\nabc\r\n0\r\nhost: localhost\r\n",
    "a trailer that says who asks": b"3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n",
    "a hundred trailers": b"3\r\nabc\r\n0\r\n" + b"A: b\r\n" * 100,
}


@pytest.mark.threat("S14")
@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_chunks_in_doubt_are_answered_400_and_end_the_connection(server, chunks):
    head = get(b"Transfer-Encoding: chunked", line=b"POST /raw/ HTTP/1.1")
    body = chunks + b"\r\n0\r\n\r\n"

    with server.talk(head + body + request("/user/")) as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert (reply.status, reply.headers["connection"], rest) == (400, "close", b"")


@pytest.mark.parametrize(
    "body",
    [
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b'3;a\r\nabc\r\n2 ; b = "c\\"d;" ;e=f\r\nde\r\n000\r\n\r\n',
        b"0005\r\nabcde\r\n0\r\nA: b\r\nC:\r\n\r\n",
    ],
)
def test_sound_chunks_may_have_extensions_and_trailers(server, body):
    head = get(b"Transfer-Encoding: chunked", line=b"POST /raw/ HTTP/1.1")

    with server.talk(head + body + request("/user/")) as conversation:
        assert conversation.reply().body == b"abcde"
        assert conversation.reply().body == b"user AnonymousUser"


def test_a_small_unread_body_is_not_taken_for_the_next_request(server):
    body = request("/user/")
    head = get(f"Content-Length: {len(body)}".encode(), line=b"POST /unread/ HTTP/1.1")

    with server.talk(head + body + request("/hello/")) as conversation:
        assert conversation.reply().body == b"not read"
        assert conversation.reply().body == b"hello"


@pytest.mark.threat("S18")
@pytest.mark.parametrize("header", [b"Content-Length: 10000000000", b"Transfer-Encoding: chunked"])
def test_a_large_unread_body_is_answered_at_once_and_cut_off(server, header):
    took = []
    for _ in range(3):  # the machine may be busy with something else for a moment
        with server.talk(get(header, line=b"POST /unread/ HTTP/1.1") + b"1\r\na\r\n") as conversation:
            begun = time.monotonic()
            reply = conversation.reply()
            rest = conversation.rest()
            took.append(time.monotonic() - begun)

        assert (reply.body, reply.headers["connection"], rest) == (b"not read", "close", b"")
    assert min(took) < 0.4  # sooner than any of its time limits


def test_a_client_that_goes_on_sending_still_gets_the_answer(server):
    """Closing with bytes unread makes the kernel send a reset, which may overtake the answer."""
    megabyte = b"a" * 1024 * 1024
    with server.talk(get(b"Content-Length: 1048576", line=b"POST /unread/ HTTP/1.1")) as conversation:
        conversation.send(megabyte)

        assert conversation.reply().body == b"not read"
        assert conversation.rest() == b""


def test_a_body_behind_connection_upgrade_is_not_the_next_request(server):
    body = request("/user/")
    headers = (b"Connection: Upgrade", f"Content-Length: {len(body)}".encode())

    with server.talk(post(*headers) + body + request("/hello/")) as conversation:
        assert conversation.reply().body == body
        assert conversation.reply().body == b"hello"


def test_continue_is_said_when_the_body_is_wanted(server):
    with server.talk(post(b"Content-Length: 5", b"Expect: 100-continue")) as conversation:
        assert conversation.reply().status == 100
        conversation.send(b"12345")
        assert conversation.reply().body == b"12345"


def test_http_1_0_is_not_told_to_continue(server):
    headers = (b"Content-Length: 5", b"Expect: 100-continue")
    with server.talk(get(*headers, line=b"POST /echo/ HTTP/1.0") + b"12345") as conversation:
        assert (reply := conversation.reply()).status == 200
        assert reply.body == b"12345"


# Whom to believe


def forwarded(server):
    headers = [
        "X-Forwarded-For: 10.1.2.3",
        "X-Forwarded-Proto: https",
        "Forwarded: for=10.1.2.3",
        "X-Real-IP: 1",
    ]
    meta = json.loads(server.get("/meta/", *headers).body)
    return {key for key in meta if "FORWARDED" in key or "REAL_IP" in key}


def test_a_trusted_proxy_may_say_whom_it_speaks_for(server):
    assert forwarded(server) == {
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_FORWARDED",
        "HTTP_X_REAL_IP",
    }


@pytest.mark.threat("S29")
def test_nobody_else_may():
    with LiveServer(settings={"TRUSTED_PROXIES": ["10.0.0.1"]}) as server:
        assert forwarded(server) == set()


# The number of connections


@pytest.mark.threat("S62")
def test_sockets_count_as_connections_and_one_too_many_is_answered_503():
    with LiveServer(settings={"MAX_CONNECTIONS": 3}) as server:
        with server.client() as first, server.client(), server.talk(request("/hello/")) as page:
            assert page.reply().body == b"hello"

            with server.talk(request("/hello/")) as refused:
                reply = refused.reply()
                assert (reply.status, reply.headers["connection"]) == (503, "close")
                assert reply.headers["retry-after"] == "5"
                assert refused.rest() == b""

            first.close()
            wait_for(lambda: server.get("/hello/").status == 200, "room again")
        assert "Traceback" not in server.output


# The log


def test_a_page_and_a_socket_are_one_access_line_each(server, new_output):
    server.get("/hello/")
    server.client("?from=test").close()

    wait_for(lambda: len(access_lines(new_output())) == 2)
    assert access_lines(new_output()) == [
        ("GET /hello/ HTTP/1.1", "200"),
        ("GET /ws/?from=test HTTP/1.1", "101"),
    ]
    assert re.match(r"\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\] ", new_output())


@pytest.mark.threat("S68")
def test_a_client_that_resets_its_connection_is_no_error_of_ours(server, new_output):
    for data in (b"", b"GET /hel", request("/hello/"), post(b"Content-Length: 100") + b"1"):
        connection = server.raw(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    assert server.get("/user/").body == b"user AnonymousUser"
    assert "Traceback" not in new_output()


class Sent(Handler):
    """A handler whose socket is a list."""

    def __init__(self, code=200):
        self.socket = self
        self.sent = []
        self.status, self.code, self.response_headers = b"200 OK", code, []
        self.provided_date, self.provided_content_length = "now", "4"
        self.command, self.response_length, self.response_use_chunked = "GET", 0, False
        self.headers_sent, self.request_version, self.result = False, "HTTP/1.1", []

    def sendall(self, data):
        self.sent.append(bytes(data))


def test_a_head_and_a_small_body_leave_in_one_segment():
    handler = Sent()

    handler.write(b"body")
    handler.write(b"more")

    assert handler.sent == [b"HTTP/1.1 200 OK\r\n\r\nbody", b"more"]


def test_a_large_body_is_not_copied_to_its_head():
    handler, large = Sent(), b"x" * (JOINED + 1)

    handler.write(large)

    assert handler.sent == [b"HTTP/1.1 200 OK\r\n\r\n", large]
    assert handler.response_length == sum(map(len, handler.sent))


def test_behind_a_head_that_came_alone_nothing_is_looked_for():
    asked = []
    handler = object.__new__(Handler)
    handler.rfile = SimpleNamespace(raw=None, peek=lambda size: asked.append(size) or b"behind")
    handler.socket = SimpleNamespace(settimeout=lambda seconds: None)

    handler._was_all = True
    assert (handler._unused(), asked) == (b"", [])
    handler._was_all = False
    assert (handler._unused(), asked) == (b"behind", [1])
