"""A small Jetstream: numbered events over a WebSocket, from any of them on; and profiles over HTTP."""

import json
from urllib.parse import parse_qs, urlsplit

from gevent.event import Event
from gevent.server import StreamServer
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.fake_x import answer, read_request

DID = "did:plc:abcdefghijklmnopqrstuvwx"
KIND = "network.bsky.jetstream.subscribeEvents#"


class FakeJetstream:
    def __init__(self):
        self.events = []  # (number, text)
        self.script = []  # statuses for the next dials
        self.dials = []  # query of each
        self.profiles = {DID: {"did": DID, "handle": "mara.example", "displayName": "Mara"}}
        self.forbidden = False
        self.oldest = 1
        self._connections = set()
        self._changed = Event()
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._http = StreamServer(("127.0.0.1", 0), self._profiles)

    def __enter__(self):
        self._server.start()
        self._http.start()
        return self

    def __exit__(self, *problem):
        self.cut()
        self._server.stop(timeout=0)
        self._http.stop(timeout=0)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self._server.server_port}"

    @property
    def profiles_url(self):
        return f"http://127.0.0.1:{self._http.server_port}"

    def commit(self, operation, key, record=None, *, did=DID, **fields):
        payload = {
            "$type": f"{KIND}commit",
            "did": did,
            "seq": len(self.events) + 1,
            "time": "2027-01-15T08:00:00.000000Z",
            "rev": "3k",
            "operation": operation,
            "collection": "app.bsky.feed.post",
            "rkey": key,
        }
        if record is not None:
            payload |= {"record": record, "cid": "bafyreiabcdefghijkl"}
        self.send(json.dumps({"$type": "message", "payload": payload | fields}))

    def send(self, text):
        self.events.append((len(self.events) + 1, text))
        self._changed.set()
        self._changed.clear()

    def cut(self):
        for connection in list(self._connections):
            connection.close()
        self._changed.set()
        self._changed.clear()

    def _serve(self, connection, _):
        protocol = ServerProtocol(subprotocols=["xrpc.v1.json"])
        while not (events := protocol.events_received()):
            data = connection.recv(65536)
            if not data:
                return
            protocol.receive_data(data)
        request = events[0]
        query = parse_qs(urlsplit(request.path).query)
        self.dials.append(query)
        cursor = int(query.get("cursor", [0])[0])
        status = self.script.pop(0) if self.script else 400 if self.forbidden else 101
        if status == 101 and 0 < cursor < self.oldest:
            status = 400
        if status != 101:
            body = json.dumps({"error": "CursorTooOld" if status == 400 else "Error"}).encode()
            headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
            protocol.send_response(Response(status, "No", headers, body))
            self._flush(protocol, connection)
            return
        protocol.send_response(protocol.accept(request))
        self._flush(protocol, connection)
        self._connections.add(connection)
        try:
            self._play(protocol, connection, cursor or len(self.events) + 1)
        except OSError:
            pass
        finally:
            self._connections.discard(connection)

    def _play(self, protocol, connection, following):
        while protocol.state is State.OPEN and connection in self._connections:
            for number, text in self.events[following - 1 :]:
                protocol.send_text(text.encode() if isinstance(text, str) else text)
                self._flush(protocol, connection)
                following = number + 1
                if connection.closed:
                    return
            self._changed.wait(0.05)

    @staticmethod
    def _flush(protocol, connection):
        for data in protocol.data_to_send():
            if data:
                connection.sendall(data)

    def _profiles(self, connection, _):
        reader = connection.makefile("rb")
        while request := read_request(reader):
            query = parse_qs(urlsplit(request[1]).query)
            known = self.profiles.get(query.get("actor", [""])[0])
            answer(connection, 200 if known else 400, known or {"error": "InvalidRequest"})
