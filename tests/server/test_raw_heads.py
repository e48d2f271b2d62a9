"""The table of heads once more, against a whole server and with raw sockets."""

import os
import re

import pytest

from tests.live import wait_for
from tests.server.conftest import access_lines
from tests.server.heads import BAD, GOOD, get


@pytest.fixture
def calls(server):
    """How often Django was called since the test began."""

    def total():
        return server.get("/counts/").body

    def number(body):
        return int(re.search(rb'"started": (\d+)', body)[1])

    before = number(total())
    return lambda: number(total()) - before - 1


@pytest.mark.threat("S14", "S16")
@pytest.mark.parametrize(("status", "data"), [pytest.param(*row[1:], id=row[0]) for row in BAD])
def test_a_head_in_doubt_is_answered_closed_and_logged_in_one_line(server, new_output, calls, status, data):
    behind = b"GET /user/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with server.talk(data + behind) as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert (reply.status, reply.headers["connection"], rest) == (status, "close", b"")
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert calls() == 0
    (line,) = [one for one in access_lines(new_output()) if "/counts/" not in one[0]]
    assert line == (reply.body.decode().strip(), str(status))
    assert "Traceback" not in new_output()


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in GOOD])
def test_a_sound_head_reaches_django(server, calls, data):
    with server.talk(data) as conversation:
        reply = conversation.reply(has_body=False)

    assert reply.status not in (408, 414, 431, 505)
    assert reply.headers["x-site"] == "seen"
    assert calls() == 1


@pytest.mark.threat("S30")
def test_an_offer_of_h2c_is_passed_over_and_the_connection_goes_on(server):
    offer = get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA")

    with server.talk(offer + get(line=b"GET /user/ HTTP/1.1")) as conversation:
        bodies = [conversation.reply().body, conversation.reply().body]

    assert bodies == [b"hello", b"user AnonymousUser"]


def test_an_empty_line_before_a_request_is_forgiven_once(server):
    with server.talk(b"\r\n" + get()) as conversation:
        assert conversation.reply().body == b"hello"

    with server.talk(b"\r\n\r\n" + get()) as conversation:
        assert conversation.reply().status == 400


@pytest.mark.threat("S29")
def test_headers_with_an_underscore_do_not_reach_django(server):
    data = get(
        b"X_Forwarded_For: 10.0.0.1", b"X-Real: yes", b"X_Real: no", b"Connection: close",
        line=b"GET /meta/ HTTP/1.1",
    )  # fmt: skip

    with server.talk(data) as conversation:
        body = conversation.reply().body

    assert b'"HTTP_X_REAL": "yes"' in body
    assert b"FORWARDED" not in body


@pytest.mark.threat("S30")
def test_random_bytes_are_answered_or_dropped_and_leave_no_trace(server, new_output):
    for size in (1, 2, 16, 100, 1000, 5000) * 5:
        with server.talk(os.urandom(size).replace(b"\n", b"\r\n") + b"\r\n\r\n") as conversation:
            reply = conversation.reply()
            assert reply is None or reply.status in (400, 414, 431)

    assert server.get("/hello/").body == b"hello"
    assert "Traceback" not in new_output()
    assert "\x1b" not in new_output()


@pytest.mark.threat("S44")
def test_escape_sequences_in_a_path_stay_one_harmless_line(server, new_output):
    with server.talk(get(line=b"GET /%1b%5b31m%0d%0aGET%20/hello/ HTTP/1.1")) as conversation:
        assert conversation.reply().status == 404
    with server.talk(get(line=b'GET /"\\x1b HTTP/1.1')) as conversation:
        assert conversation.reply().status == 404

    lines = wait_for(lambda: len(found := access_lines(new_output())) == 2 and found)
    assert lines[0] == ("GET /%1b%5b31m%0d%0aGET%20/hello/ HTTP/1.1", "404")
    assert len(new_output().splitlines()) == 2
    assert "\x1b" not in new_output()
