"""Channels in the address of a client that comes back: it hears the same as by commands, in one write."""

from time import time

import gevent
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall import api, signals
from realtime_wall.auth.lazy_request import LazyRequest
from realtime_wall.auth.return_ticket import Ticket
from realtime_wall.channels.position import Position
from realtime_wall.errors import Refuse
from realtime_wall.protocol.plain import commands_in_address
from realtime_wall.transports.websocket.plain_opening import open_websocket, return_websocket
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns
from tests.fakes import RecordingWire, a_request, no_receivers, running_node
from tests.live import wait_for
from tests.transports.websocket.client import Visitor, connect

HEAD = b"HEAD"


class CountingWire(RecordingWire):
    """As a server hands it over: with the answer to the handshake."""

    def __init__(self):
        super().__init__()
        self.head = HEAD
        self.writes = []

    def write(self, data):
        self.writes.append(data)
        return super().write(data.removeprefix(HEAD))


def by_address(node, on):
    wire = CountingWire()
    open_websocket(node, a_request(), None, None, wire, b"", on=commands_in_address(on))
    assert node.pool.wait_until_idle(10)
    return wire


def by_ticket(node, on):
    wire = CountingWire()
    request = LazyRequest({"PATH_INFO": "/ws/"}, None, lambda request: "")
    commands = commands_in_address(on)
    return_websocket(node, request, Ticket(int(time())), None, "a.b", commands, wire, b"")
    return wire


def by_commands(node, on):
    visitor = Visitor(node).begin()
    pairs = [one.rpartition("@") for one in on]
    visitor.ask(
        *({"type": "subscribe", "channel": name, "since": since, "id": name} for name, _, since in pairs)
    )
    return visitor.wire


def heard(wire):
    """But for what differs from client to client."""
    welcome, *others = wire.texts()
    welcome["message"] = {"ping": welcome["message"]["ping"]}
    return [welcome, *others]


def test_welcome_answers_and_what_was_missed_are_one_write_behind_the_connect_receivers(node, told):
    start = node.broker.top
    connect(signals.socket_connected, lambda socket, request: socket.emit("from the receiver"))
    api.publish("a", "missed")

    wire = by_address(node, [f"a@{start}", "b@"])
    api.broadcast_channel("live", "b")

    _, greeting, first, missed, second, live = wire.texts()
    assert greeting["type"] == "from the receiver"
    assert (first["type"], first["id"], first["cursor"]) == ("subscribed", "a", str(start))
    assert first["recovered"] and missed["message"] == "missed"
    assert (second["type"], second["id"]) == ("subscribed", "b") and "recovered" not in second
    assert live["message"] == "live"
    assert [name for name, *_ in told] == ["connected"]


def test_of_a_crowd_too_each_is_told_all_in_one_write(node, monkeypatch):
    """When the slice of all clients is over as soon as it has begun."""
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    connect(signals.socket_connected, lambda socket, request: None)
    start = node.broker.top
    api.publish("a", "missed")

    openings = [gevent.spawn(by_ticket, node, [f"a@{start}"]) for _ in range(5)]
    gevent.joinall(openings, raise_error=True)

    assert [len(opening.value.writes) for opening in openings] == [1] * 5


def test_without_a_word_of_receivers_all_leaves_with_the_handshake(node):
    start = node.broker.top
    api.publish("a", "missed")

    wire = by_address(node, [f"a@{start}", f"b@{start}"])

    assert len(wire.writes) == 1 and wire.writes[0].startswith(HEAD)
    assert len(wire.texts()) == 4


def test_who_waits_for_this_server_to_come_up_keeps_no_other_waiting(node):
    """For what it has heard from another server, and this one has not."""
    heard = []
    connect(signals.socket_client_message, lambda socket, request, message: heard.append(message))
    other = Visitor(node).begin()
    ahead = Position(node.broker.top.epoch, node.broker.top.offset + 1)
    wire = CountingWire()
    coming = gevent.spawn(open_websocket, node, a_request(), ahead, None, wire, b"")
    gevent.sleep(0)
    assert not wire.writes

    other.say({"type": "message", "message": "meanwhile"})
    wait_for(lambda: heard == ["meanwhile"])
    assert not wire.writes

    api.publish("a", "what it has heard")
    coming.join(10)
    wait_for(lambda: wire.writes)


def test_a_welcome_without_channels_waits_for_nobody(node):
    connect(signals.socket_connected, lambda socket, request: writes.append(len(wire.writes)))
    writes, wire = [], CountingWire()

    open_websocket(node, a_request(), None, None, wire, b"")

    assert writes == [1]


def test_receivers_of_the_channels_run_first_and_may_refuse(node):
    seen = []
    connect(
        signals.socket_subscribed, lambda socket, request, channel: seen.append(channel) or channel != "b"
    )

    wire = by_address(node, ["a@", "b@"])

    assert seen == ["a", "b"]
    _, first, second = wire.texts()
    assert (first["type"], second["type"], second["code"]) == ("subscribed", "error", "refused")


def test_who_is_refused_by_a_connect_receiver_is_on_no_channel(node):
    def refuse(socket, request):
        raise Refuse("no")

    connect(signals.socket_connected, refuse)

    by_address(node, ["a@"])

    assert node.subscriptions.snapshot("a") == ()


def test_they_count_as_subscribes_do(node):
    wire = by_address(node, ["a@", "b@"])

    assert wire.owner.account.subscribes == 2


NAMES = st.sampled_from(["a", "b", "c d", "e@f", "", "x/y", "closed"])
CURSORS = st.sampled_from(["", "past", "earlier:3", "junk", "future"])
PUBLISHED = st.lists(st.sampled_from(["a", "b", "c d", "e@f"]), max_size=8)


@given(st.lists(st.tuples(NAMES, CURSORS), min_size=1, max_size=6), PUBLISHED, st.booleans())
def test_whatever_is_asked_for_is_answered_as_by_commands(asked, published, has_receiver):
    channels = {"closed": {"READ": False}}
    with no_receivers(), running_node(channels_per_connection=3, channels=channels) as node:
        if has_receiver:
            connect(signals.socket_subscribed, lambda socket, request, channel: channel != "b")
        past = node.broker.top
        for number, channel in enumerate(published):
            api.publish(channel, number)
        cursors = {"past": str(past), "future": f"{past.epoch}:99"}
        on = [f"{name}@{cursors.get(since, since)}" for name, since in asked]

        one, other = by_commands(node, on), by_address(node, on)

        assert heard(other) == heard(one)
