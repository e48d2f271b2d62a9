import socket

import pytest
from gevent.event import Event

from realtime_wall.config import Config
from realtime_wall.server.http.http_server import HTTPServer
from tests.live import wait_for


def hello(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@pytest.fixture
def serve():
    """Make a server of an application, with some settings."""
    servers = []

    def serve(application=hello, **settings):
        server = HTTPServer(socket.create_server(("127.0.0.1", 0)), application, Config(**settings))
        server.start()
        servers.append(server)
        return server

    yield serve
    for one in servers:
        wait_for(lambda server=one: server.http_connections == 0)
        one.stop_listening(Event())
