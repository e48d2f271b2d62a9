"""The handshake of a WebSocket: what Django has to say about it, and what happens to the connection."""

import json
import os
import socket
import struct
from contextlib import ExitStack

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from realtime_wall.config import Config
from realtime_wall.server.http import hand_over
from realtime_wall.server.http.handler import Handler
from tests.live import LiveServer, wait_for
from tests.management import projects
from tests.server.conftest import access_lines
from tests.server.heads import get, post

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = b"Sec-WebSocket-Version: 13"
UPGRADE = (b"Upgrade: websocket", b"Connection: Upgrade")
SOUND = (*UPGRADE, KEY, VERSION)


def handshake(*headers, path=b"/ws/", version=b"1.1"):
    return get(*headers, line=b"GET " + path + b" HTTP/" + version)


def masked(text):
    """A client's text frame, masked with zeros so that it stays readable."""
    data = text.encode()
    return bytes([0x81, 0x80 | len(data)]) + bytes(4) + data


def read_frame(stream):
    first, size = stream.read(2)
    if size == 126:
        (size,) = struct.unpack("!H", stream.read(2))
    return first & 0x0F, stream.read(size)


def counts(server):
    return json.loads(server.get("/counts/").body)


def test_the_answer_is_that_of_rfc_6455(server):
    with server.talk(handshake(*SOUND)) as conversation:
        reply = conversation.reply()

    assert reply.status == 101
    assert reply.headers["upgrade"] == "websocket"
    assert [one for one in reply.head if one[0] == "connection"] == [("connection", "Upgrade")]
    assert reply.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_the_answer_carries_what_middleware_set(server):
    with server.talk(handshake(*SOUND, path=b"/ws/?cookie=tasty")) as conversation:
        reply = conversation.reply()

    assert reply.status == 101
    assert reply.headers["x-site"] == "seen"
    cookies = [value.split(";")[0] for name, value in reply.head if name == "set-cookie"]
    assert cookies == ["site=tasty", "second=too"]


WSGI = """
    from django.core.wsgi import get_wsgi_application

    site = get_wsgi_application()

    def application(environ, start_response):
        response = site(environ, start_response)
        body = list(response)
        response.close()
        return body
"""


def test_nothing_is_said_of_a_body_for_an_application_that_returns_a_list(tmp_path):
    project = projects.make(tmp_path, wsgi=WSGI)
    with open(project / "own_settings.py", "a") as settings:
        settings.write("WSGI_APPLICATION = 'own.wsgi.application'\n")

    with projects.serve(project) as server, server.talk(handshake(*SOUND)) as conversation:
        reply = conversation.reply()

    assert reply.status == 101
    assert "content-length" not in reply.headers


def test_the_answer_has_no_body_and_says_nothing_of_one(server):
    with server.talk(handshake(*SOUND)) as conversation:
        reply = conversation.reply()
        kind, data = read_frame(conversation.stream)

    assert not {"content-length", "content-type", "transfer-encoding"} & set(reply.headers)
    assert (kind, json.loads(data)["type"]) == (1, "welcome")


@pytest.mark.parametrize("connection", [b"Upgrade", b"upgrade", b"keep-alive, Upgrade", b"UPGRADE ,close"])
@pytest.mark.parametrize("upgrade", [b"websocket", b"WebSocket"])
def test_browsers_spell_it_differently(server, connection, upgrade):
    headers = (b"Upgrade: " + upgrade, b"Connection: " + connection, KEY, VERSION)

    with server.talk(handshake(*headers)) as conversation:
        assert conversation.reply().status == 101


def test_what_was_sent_together_with_the_handshake_is_answered(server):
    events = [{"type": "add", "message": [number, 4], "id": 1} for number in (1, 3)]
    frames = b"".join(masked(json.dumps(event)) for event in events)

    with server.talk(handshake(*SOUND) + frames) as conversation:
        assert conversation.reply().status == 101
        messages = [json.loads(read_frame(conversation.stream)[1]) for _ in range(3)]

    assert [one.get("message") for one in messages[1:]] == [5, 7]


def test_a_frame_that_arrives_in_two_halves_around_the_hand_over_is_answered(server):
    frame = masked('{"type": "add", "message": [1, 2], "id": 1}')

    with server.talk(handshake(*SOUND) + frame[:10]) as conversation:
        assert conversation.reply().status == 101
        read_frame(conversation.stream)
        conversation.send(frame[10:])
        assert json.loads(read_frame(conversation.stream)[1])["message"] == 3


def test_the_response_is_closed_after_the_hand_over(server):
    before = counts(server)

    clients = [server.client() for _ in range(5)]
    during = counts(server)
    for client in clients:
        client.close()

    # The connections are still open, yet all their requests have ended; one more was counts() itself.
    assert during == {"started": before["started"] + 6, "finished": before["finished"] + 6}


BAD_HANDSHAKES = {
    "a key that is no base64": (400, handshake(*UPGRADE, b"Sec-WebSocket-Key: !", VERSION)),
    "a key of the wrong size": (400, handshake(*UPGRADE, b"Sec-WebSocket-Key: aGk=", VERSION)),
    "a key of eight bits": (400, handshake(*UPGRADE, b"Sec-WebSocket-Key: \xff", VERSION)),
    "no key": (400, handshake(*UPGRADE, VERSION)),
    "an empty key": (400, handshake(*UPGRADE, b"Sec-WebSocket-Key:", VERSION)),
    "two keys": (400, handshake(*SOUND, KEY)),
    "no version": (426, handshake(*UPGRADE, KEY)),
    "an old version": (426, handshake(*UPGRADE, KEY, b"Sec-WebSocket-Version: 8")),
    "a future version": (426, handshake(*UPGRADE, KEY, b"Sec-WebSocket-Version: 14")),
    "HTTP/1.0": (400, handshake(*SOUND, version=b"1.0")),
}


@pytest.mark.parametrize(("status", "data"), BAD_HANDSHAKES.values(), ids=list(BAD_HANDSHAKES))
def test_a_bad_handshake_is_refused_without_asking_django(server, new_output, status, data):
    with server.talk(data) as conversation:
        reply = conversation.reply()
        rest = conversation.rest()

    assert (reply.status, reply.headers["connection"], rest) == (status, "close", b"")
    assert reply.body.strip()
    assert "x-site" not in reply.headers
    assert reply.headers.get("sec-websocket-version") == ("13" if status == 426 else None)
    assert [code for _, code in wait_for(lambda: access_lines(new_output()))] == [str(status)]


@pytest.mark.parametrize(
    "data",
    [
        get(*SOUND[1:], line=b"GET /ws/ HTTP/1.1"),
        get(SOUND[0], *SOUND[2:], line=b"GET /ws/ HTTP/1.1"),
        get(b"Upgrade: h2c", *SOUND[1:], line=b"GET /ws/ HTTP/1.1"),
        get(line=b"GET /ws/ HTTP/1.1"),
    ],
    ids=["no Upgrade", "no Connection", "another protocol", "a browser's address bar"],
)
def test_a_request_that_is_no_handshake_is_told_what_is_spoken_there(server, data):
    with server.talk(data + get()) as conversation:
        reply = conversation.reply()
        following = conversation.reply()

    assert (reply.status, reply.headers["upgrade"]) == (426, "websocket")
    assert b"WebSocket" in reply.body
    assert following.body == b"hello"


def test_a_handshake_at_another_address_is_an_ordinary_request(server):
    with server.talk(handshake(*SOUND, path=b"/hello/") + get()) as conversation:
        assert conversation.reply().body == b"hello"
        assert conversation.reply().body == b"hello"


def test_a_handshake_is_get_only(server):
    with server.talk(post(*SOUND, b"Content-Length: 0") + get()) as conversation:
        assert conversation.reply().status == 200
        assert conversation.reply().body == b"hello"


def test_a_client_that_is_gone_before_the_answer_does_no_harm(server, new_output):
    for _ in range(20):
        connection = server.raw(handshake(*SOUND))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with server.client() as client:
        assert client.ask("add", [1, 2]) == 3
    assert "Traceback" not in new_output()


class GoneStream:
    def peek(self, size):
        raise ConnectionResetError


class AnyServer:
    config = Config()


def test_a_client_that_is_gone_right_after_the_answer_is_not_handed_over():
    ours, theirs = socket.socketpair()
    handler = Handler(ours, ("127.0.0.1", 1), AnyServer(), rfile=GoneStream())
    opened = []
    offer = hand_over.HandOver([])
    offer.accept(lambda *args: opened.append(args))

    with ours, theirs:
        handler._give_away(offer, "")

        assert opened == []
        assert handler.close_connection
        assert handler.socket is ours  # for pywsgi to close


def test_descriptors_are_given_back(server):
    def descriptors():
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    server.client().close()
    before = wait_for(descriptors)
    with ExitStack() as clients:
        for _ in range(20):
            clients.callback(server.client().close)
        assert descriptors() >= before + 20

    # Some more than before are what the server opens when it first needs it.
    wait_for(lambda: descriptors() < before + 5, "the descriptors")


# Without a server


def test_a_request_offers_a_hand_over_only_when_the_server_put_one_there():
    request = RequestFactory().get("/ws/")
    assert hand_over.of(request) is None

    request.META[hand_over.META_KEY] = "from a stranger"
    assert hand_over.of(request) is None

    offer = request.META[hand_over.META_KEY] = hand_over.HandOver([])
    assert hand_over.of(request) is offer


def test_an_accepted_hand_over_is_an_empty_101():
    offer = hand_over.HandOver([])

    response = offer.accept(print)

    assert isinstance(response, HttpResponse)
    assert (response.status_code, response.content, dict(response.headers)) == (101, b"", {})
    assert offer.opener is print


def test_a_view_that_answers_101_by_itself_is_told_off():
    with LiveServer() as server:
        reply = server.get("/by-itself/")
        assert reply.status == 500
        server.wait_for_log("only a view that accepted a hand-over may answer 101")
