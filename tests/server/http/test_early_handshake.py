import pytest

from realtime_wall.server.http.early_handshake import environ_of, find

HEAD = [
    b"GET /ws/?since=epoch:1 HTTP/1.1\r\n",
    b"Host: site.example\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: keep-alive, Upgrade\r\n",
    b"Sec-WebSocket-Version: 13\r\n",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
]
LIMIT = 16 * 1024


def whole(lines):
    return b"".join(lines) + b"\r\n"


def test_a_usual_handshake_is_found_by_its_head_alone():
    found = find(whole(HEAD), ("192.0.2.1", 99), LIMIT)

    assert found.request_line == "GET /ws/?since=epoch:1 HTTP/1.1"
    assert found.environ["HTTP_SEC_WEBSOCKET_VERSION"] == "13"


def test_a_head_is_read_as_pywsgi_reads_it():
    environ = environ_of([*HEAD, b"X-Thing:  a: b\t\r\n"], ("192.0.2.1", 99))

    assert environ["HTTP_X_THING"] == "a: b"
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/ws/", "since=epoch:1")
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.1", "99")


@pytest.mark.parametrize(
    "head",
    [
        [HEAD[0].replace(b"GET", b"POST"), *HEAD[1:]],
        [HEAD[0].replace(b"1.1", b"1.0"), *HEAD[1:]],
        [HEAD[0].replace(b"/ws/", b"/w%73/"), *HEAD[1:]],
        [*HEAD, HEAD[1]],
        [*HEAD, b"Under_score: 1\r\n"],
        [*HEAD, b"Content-Length: 0\r\n"],
    ],
)
def test_what_could_be_read_in_two_ways_is_left_to_pywsgi(head):
    assert environ_of(head, "") is None
    assert find(whole(head), "", LIMIT) is None


@pytest.mark.parametrize(
    "arrived",
    [
        whole([*HEAD[:3], b"Connection: close\r\n", *HEAD[4:]]),
        whole([*HEAD[:4], b"Sec-WebSocket-Version: 8\r\n", HEAD[5]]),
        whole([*HEAD[:5], b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n"]),
        whole(HEAD[:5]),
        whole([*HEAD, b"A : b\r\n"]),
        whole(HEAD) + b"\x81",
        whole(HEAD)[:-2],
        whole([*HEAD, b"A: " + b"a" * LIMIT + b"\r\n"]),
        b"",
    ],
)
def test_what_is_no_usual_handshake_and_nothing_else_is_left_to_pywsgi(arrived):
    assert find(arrived, "", LIMIT) is None
