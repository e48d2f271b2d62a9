"""What is believed of what a proxy says: of a trusted one, and the scheme of a WebSocket as a page's."""

import pytest

from realtime_wall.server.http import proxy_headers


def noted(trusted, **headers):
    environ = {"REMOTE_ADDR": "10.0.0.1", **headers}
    proxy_headers.note(environ, trusted)
    return environ


@pytest.mark.parametrize(("said", "meant"), [("wss", "https"), ("ws", "http"), ("https", "https"), ("", "")])
def test_the_scheme_of_a_websocket_is_that_of_its_page(said, meant):
    """Traefik says wss, which SECURE_PROXY_SSL_HEADER cannot be told of beside https."""
    environ = noted(["10.0.0.1"], HTTP_X_FORWARDED_PROTO=said)

    assert environ["HTTP_X_FORWARDED_PROTO"] == meant


def test_of_a_stranger_nothing_is_left_of_it():
    assert "HTTP_X_FORWARDED_PROTO" not in noted([], HTTP_X_FORWARDED_PROTO="wss")
