from realtime_wall import api
from realtime_wall.sockets.delivery.backlog import PORTION
from tests.fakes import running_node
from tests.live import wait_for
from tests.transports.socketio.client import Visitor


def test_what_is_lost_behind_the_notice_of_a_gap_is_sent_when_the_client_comes_back(monkeypatch):
    with running_node(channels={"room": {"OVERFLOW": "latest", "KEY": "id"}}) as node:
        visitor = Visitor(node).connect()
        start, wire = node.broker.top, visitor.wire
        for text in ("x" * PORTION, "missed"):
            api.publish("room", {"text": text}, event="news")
        api.broadcast_emit("for all")
        wait_for(visitor.events, "a newer offset")
        wire.outbox_size = 1
        visitor.ask(f'21["subscribe","room","{start}"]')
        write = wire.write

        def write_slowly(data):
            written = write(data)
            if len(data) > PORTION:
                wire.outbox_size = 1
            return written

        monkeypatch.setattr(wire, "write", write_slowly)
        wire.drain()
        for number in range(2):  # the second stands for the first, which is a gap
            api.publish("room", {"id": 1, "live": number}, event="news")
        backlog = visitor.client._namespaces["/"]._state.backlog
        wait_for(lambda: backlog._live.gaps, "the gap")
        monkeypatch.setattr(
            wire, "write", lambda data: wire.abort("reset") if b"missed" in data else write(data)
        )
        wire.drain()
        assert wire.ended == "reset"

        again = visitor.come_back()

        texts = [event[1].get("text") for event in again.events() if event[0] == "news"]
        assert not again.socket.recovered or "missed" in texts
        again.wire.abort("reset")
        again.settle()
