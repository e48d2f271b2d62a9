"""Socket.IO by hand over HTTP: what the official client never does, and what is left of it in the log."""

import json
import os
import time

import pytest

from tests.live import LiveServer, wait_for

POLLING = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture(scope="module")
def server():
    with LiveServer(settings={"MESSAGE_SIZE": 100_000, "INBOX_SIZE": 2}) as server:
        yield server


def handshake(server):
    reply = server.get(POLLING)
    return json.loads(reply.body[1:])["sid"]


def posting(server, sid, body, *headers, length=None):
    """A POST that was sent and not answered yet."""
    length = len(body) if length is None else length
    lines = [
        f"POST {POLLING}&sid={sid} HTTP/1.1",
        f"Host: {server.host}",
        "Connection: close",
        *(headers or ("Content-Type: text/plain",)),
        f"Content-Length: {length}",
    ]
    return server.talk("\r\n".join([*lines, "", ""]).encode() + body)


def post(server, sid, body, *headers, **kwargs):
    with posting(server, sid, body, *headers, **kwargs) as conversation:
        return conversation.reply()


def polled(server, sid):
    return server.get(f"{POLLING}&sid={sid}").body.decode().split("\x1e")


def connected(server):
    sid = handshake(server)
    post(server, sid, b"40")
    (welcome,) = [one for one in polled(server, sid) if one.startswith("40")]
    return sid, json.loads(welcome[2:])["sid"]


def test_a_client_by_hand_is_answered(server):
    sid, _ = connected(server)

    assert post(server, sid, b'421["add",[1,2]]').body == b"ok"
    answers = []
    wait_for(lambda: answers.extend(polled(server, sid)) or "431[3]" in answers, "the answer")


@pytest.mark.threat("S34", "S45")
def test_nobody_can_be_impersonated_with_what_is_in_the_log(server):
    sid, session_id = connected(server)
    server.get(f"/ws/?session={session_id}")
    wait_for(lambda: f"session={session_id[:15]}" in server.output, "the request in the log")

    assert f"sid={sid[:15]}" in server.output
    # The address of the server, which is no secret, and six characters of what is one.
    assert sid[:16] not in server.output
    assert session_id[:16] not in server.output


def test_a_body_of_ten_gigabytes_is_refused_before_it_comes(server):
    sid = handshake(server)

    started = time.monotonic()
    reply = post(server, sid, b"4", length=10 * 1024**3)

    assert reply.status == 413
    assert time.monotonic() - started < 2
    assert server.get(f"{POLLING}&sid={sid}").status == 400


@pytest.mark.threat("S18")
def test_a_chunked_body_is_no_way_around_the_limit(server):
    sid = handshake(server)
    head = f"POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: text/plain\r\n"
    chunk = b"8000\r\n" + b"4" * 0x8000 + b"\r\n"
    with server.talk(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4) as conversation:
        reply = conversation.reply()

    assert reply.status in (400, 413)


def test_another_content_type_leaves_no_connection_open(server):
    sid = handshake(server)

    def open_files():
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    before = open_files()
    for _ in range(50):
        reply = post(server, sid, b"\0", "Content-Type: application/octet-stream")
        assert (reply.status, json.loads(reply.body)["code"]) == (400, 3)

    # Some more than before are what the server opens when it first needs it.
    wait_for(lambda: open_files() < before + 10, "the connections to be closed")


def test_a_post_waits_for_receivers_that_are_behind(server):
    sid, _ = connected(server)
    slow = b"\x1e".join([b'42["wait",0.3]', b'42["count"]', b'42["count"]', b'42["count"]'])

    started = time.monotonic()
    reply = post(server, sid, slow)

    assert reply.body == b"ok"
    assert time.monotonic() - started > 0.25


@pytest.mark.threat("S17")
def test_hostile_requests_leave_the_process_and_its_sessions_alone(server):
    sid, _ = connected(server)
    process = server.process.pid
    paths = [
        "/socket.io/",
        "/socket.io/?EIO=4&transport=__proto__",
        "/socket.io/?EIO=abc&transport=polling",
        f"{POLLING}&sid=constructor",
        f"{POLLING}&sid[]={sid}",
        f"{POLLING}&sid={sid}&sid={sid}",
        f"/socket.io/?EIO=4&transport=websocket&sid={sid}",
        f"/socket.io/?EIO=4&EIO=3&transport=polling&sid={sid}",
    ]
    for path in paths:
        reply = server.get(path)
        if "sid[]" not in path:  # that is a handshake with an argument too many
            assert (reply.status, set(json.loads(reply.body))) == (400, {"code", "message"}), path

    assert post(server, sid, b'422["add",[4]]').status == 200
    answers = []
    wait_for(lambda: answers.extend(polled(server, sid)) or "432[4]" in answers, "the answer")
    assert server.process.pid == process
    assert server.process.poll() is None
    assert "Traceback" not in server.output
