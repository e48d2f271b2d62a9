import gc

import pytest

from realtime_wall.config import Config
from realtime_wall.protocol.websocket.deflate import PLAIN, deflate_framing
from realtime_wall.server.http import websocket_handshake

# The handshake of RFC 6455 1.3.
SOUND = {
    "REQUEST_METHOD": "GET",
    "HTTP_CONNECTION": "keep-alive, Upgrade",
    "HTTP_UPGRADE": "WebSocket",
    "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "PATH_INFO": "/ws/",
}


def test_the_answer_is_the_one_of_the_rfc_and_the_request_stays_as_it_was():
    environ = dict(SOUND)

    status, headers, _ = websocket_handshake.check(environ, "HTTP/1.1")

    assert status == "101 Switching Protocols"
    assert ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") in headers
    assert environ == SOUND


def test_a_usual_one_is_answered_as_gevent_websocket_would(monkeypatch):
    answer = websocket_handshake.check(dict(SOUND), "HTTP/1.1")
    monkeypatch.setattr(websocket_handshake, "is_usual", lambda environ: False)
    status, headers, _ = websocket_handshake.check(dict(SOUND), "HTTP/1.1")

    assert answer[:2] == (status, headers)


def test_it_leaves_nothing_to_the_garbage_collector():
    gc.collect()
    websocket_handshake.check(dict(SOUND), "HTTP/1.1")

    assert gc.collect() == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"HTTP_SEC_WEBSOCKET_VERSION": "8"}, "426"),
        ({"HTTP_SEC_WEBSOCKET_VERSION": ""}, "426"),
        ({"HTTP_SEC_WEBSOCKET_KEY": ""}, "400"),
        ({"HTTP_SEC_WEBSOCKET_KEY": "c2hvcnQ="}, "400"),
        ({"HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="}, "400"),
        ({"HTTP_SEC_WEBSOCKET_KEY": "\xe4"}, "400"),
    ],
)
def test_what_is_no_handshake_is_answered_and_says_why(change, status):
    answer, headers, body = websocket_handshake.check({**SOUND, **change}, "HTTP/1.1")

    assert answer.startswith(status)
    assert body.strip()
    assert (("Sec-WebSocket-Version", "13") in headers) == (status == "426")


@pytest.mark.threat("S13")
@pytest.mark.parametrize("offer", ["graphql-ws", "xgraphql-ws, chat", ",", "a" * 8000])
def test_no_subprotocol_is_agreed_on_whatever_is_offered(offer):
    """None is spoken here, so there is no list in which a part of a name could be found."""
    environ = {**SOUND, "HTTP_SEC_WEBSOCKET_PROTOCOL": offer}

    status, headers, _ = websocket_handshake.check(environ, "HTTP/1.1")

    assert status.startswith("101")
    assert "sec-websocket-protocol" not in {name.lower() for name, _ in headers}


def test_http_1_0_cannot_be_upgraded():
    assert websocket_handshake.check(SOUND, "HTTP/1.0")[0].startswith("400")


@pytest.mark.parametrize(
    "change",
    [{"REQUEST_METHOD": "POST"}, {"HTTP_CONNECTION": "keep-alive"}, {"HTTP_UPGRADE": "h2c"}],
)
def test_another_request_does_not_want_to_be_one(change):
    assert websocket_handshake.is_handshake(SOUND)
    assert not websocket_handshake.is_handshake({**SOUND, **change})


OFFER = SOUND | {"HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate; client_max_window_bits"}


def test_compression_is_agreed_on_where_the_site_wants_it_and_the_client_offers_it():
    site = Config(websocket_compression=True, compression_min_size=10)

    framing, headers = websocket_handshake.framing(OFFER, site)

    assert framing is deflate_framing(15, 10)
    assert headers[0][1].startswith("permessage-deflate; ")
    assert websocket_handshake.framing(OFFER, Config()) == (PLAIN, [])
    assert websocket_handshake.framing(SOUND, site) == (PLAIN, [])
