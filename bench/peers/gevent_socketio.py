"""python-socketio on gevent, doing what the bench asks of ours."""

import sys

from gevent import monkey

monkey.patch_all()

from urllib.parse import parse_qs  # noqa: E402

import socketio  # noqa: E402
from gevent import pywsgi  # noqa: E402
from geventwebsocket.handler import WebSocketHandler  # noqa: E402

# The bench's clients answer no pings: as for ours, there are none.
server = socketio.Server(async_mode="gevent", cors_allowed_origins="*", ping_interval=3600)


@server.event
def add(sid, numbers):
    return sum(numbers)


def pages(environ, start_response):
    """``/publish/?count=N&size=N``: emit to everybody, one after the other."""
    query = parse_qs(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/publish/":
        for _ in range(int(query["count"][0])):
            server.emit("message", "x" * int(query["size"][0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


if __name__ == "__main__":
    application = socketio.WSGIApp(server, pages)
    address = ("127.0.0.1", int(sys.argv[1]))
    pywsgi.WSGIServer(address, application, handler_class=WebSocketHandler, log=None).serve_forever()
