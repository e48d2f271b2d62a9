"""gevent-websocket by itself, doing what the bench asks of ours."""

import json
import sys

from gevent import monkey

monkey.patch_all()

from urllib.parse import parse_qs  # noqa: E402

from gevent import pywsgi  # noqa: E402
from geventwebsocket.exceptions import WebSocketError  # noqa: E402
from geventwebsocket.handler import WebSocketHandler  # noqa: E402

clients = set()


def application(environ, start_response):
    websocket = environ.get("wsgi.websocket")
    if websocket is None:
        publish(parse_qs(environ["QUERY_STRING"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]
    clients.add(websocket)
    try:
        while websocket.receive() is not None:
            pass
    finally:
        clients.discard(websocket)
    return []


def publish(query):
    message = json.dumps("x" * int(query["size"][0]))
    for _ in range(int(query["count"][0])):
        for client in list(clients):
            try:
                client.send(message)
            except WebSocketError:
                clients.discard(client)


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[1]))
    pywsgi.WSGIServer(address, application, handler_class=WebSocketHandler, log=None).serve_forever()
