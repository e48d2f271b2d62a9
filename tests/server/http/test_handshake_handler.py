"""A handshake whose head was read before there was a handler: the site is asked and answered for as ever."""

import email.utils
import logging
import os
import socket
from datetime import datetime

import pytest

from realtime_wall.server.http import early_handshake, hand_over
from realtime_wall.server.http.handshake_handler import HandshakeHandler
from realtime_wall.wire import not_for_forks
from tests.live import Conversation, wait_for
from tests.server.http.test_hand_over import SOUND, handshake
from tests.server.http.test_http_server import open_and_say_so

HEAD = handshake(*SOUND, b"Cookie: a=b", b"X-Forwarded-For: 10.0.0.1", path=b"/ws/?a=b&c")


def talk(server, data=HEAD):
    conversation = Conversation(socket.create_connection(("127.0.0.1", server.socket.getsockname()[1]), 5))
    conversation.send(data)
    return conversation


def answering(status, *body, headers=()):
    def application(environ, start_response):
        start_response(status, [*headers])
        return [*body]

    return application


def test_the_site_is_told_what_pywsgi_would_tell_it(serve, monkeypatch):
    environs = []

    def application(environ, start_response):
        environs.append(environ | {"body": environ["wsgi.input"].read()})
        start_response("403 Forbidden", [])
        return []

    server = serve(application)
    for find in (early_handshake.find, lambda *args: None):
        monkeypatch.setattr(early_handshake, "find", find)
        with talk(server) as conversation:
            assert conversation.reply().status == 403

    early, by_pywsgi = environs
    assert early.keys() == by_pywsgi.keys()
    own = {"wsgi.input", "wsgi.errors", "REMOTE_PORT", hand_over.META_KEY}
    assert {key for key in early if early[key] != by_pywsgi[key]} <= own
    assert early[hand_over.META_KEY].headers == by_pywsgi[hand_over.META_KEY].headers
    assert early["body"] == b""


def test_an_answer_that_is_no_101_is_a_whole_one_and_ends_the_connection(serve):
    with talk(serve(answering("403 Forbidden", b"no", headers=[("X-Site", "seen")]))) as conversation:
        reply = conversation.reply()
        assert conversation.rest() == b""

    assert (reply.status, reply.body, reply.headers["x-site"]) == (403, b"no", "seen")
    assert reply.headers["connection"] == "close"
    assert isinstance(email.utils.parsedate_to_datetime(reply.headers["date"]), datetime)


def test_a_long_answer_waits_for_its_client(serve):
    page = b"x" * 8_000_000
    with talk(serve(answering("404 Not Found", page))) as conversation:
        assert conversation.reply().body == page


@pytest.mark.parametrize("status", ["101 Switching Protocols", None])
def test_a_site_that_fails_is_answered_for(serve, status, capsys):
    def application(environ, start_response):
        if status is None:
            raise RuntimeError("a middleware of the server's")
        start_response(status, [])  # though nobody has accepted anything
        return []

    with talk(serve(application)) as conversation:
        assert conversation.reply().status == 500


def opened(environ, start_response):
    offer = environ[hand_over.META_KEY]
    offer.accept(open_and_say_so)
    start_response("101 Switching Protocols", [("Content-Type", "text/html"), ("X-Site", "seen")])
    return []


def test_a_101_is_left_to_who_takes_the_connection(serve, caplog):
    caplog.set_level(logging.INFO, "django.server")
    server = serve(opened)
    with talk(server) as conversation:
        reply = conversation.reply()
        assert conversation.stream.read(6) == b"opened"
        wait_for(lambda: server.http_connections == 0)
    assert (reply.status, reply.headers["x-site"], reply.headers.get("connection")) == (
        101,
        "seen",
        "Upgrade",
    )
    assert "content-type" not in reply.headers and "content-length" not in reply.headers
    assert [record.status_code for record in caplog.records] == [101]


def test_no_fork_of_a_view_has_the_connection():
    ours, theirs = socket.socketpair()
    with theirs:
        handler = HandshakeHandler(ours, "", None)
        assert ours.fileno() in not_for_forks.descriptors()
        os.close(ours.detach())
        handler.socket = None
        handler._end()
        assert handler.fileno() == -1  # though somebody still holds it
