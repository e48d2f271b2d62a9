"""Stand-ins for what is around a socket: its transport, its wire, the signals of a clean process."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager

from django.db.models.signals import post_delete, post_save
from django.test import RequestFactory

from realtime_wall import signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.resume import messages_of
from realtime_wall.config import from_mapping
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import Node
from realtime_wall.protocol import plain
from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.wire.connection import DROPPED, QUEUED, READ_SIZE, SENT

ALL_SIGNALS = [value for value in vars(signals).values() if isinstance(value, signals.Signal)]


@contextmanager
def no_receivers():
    """Signals that nobody is connected to; who was before is back afterwards."""
    kept = [(one, {name: copy.copy(value) for name, value in vars(one).items()}) for one in ALL_SIGNALS]
    by_name = dict(signals.socket_client_event_by_type)
    signals.socket_client_event_by_type.clear()
    for one in ALL_SIGNALS:
        one._clear_state()
    try:
        yield
    finally:
        for one, state in kept:
            vars(one).update(state)
        signals.socket_client_event_by_type.clear()
        signals.socket_client_event_by_type.update(by_name)


@contextmanager
def forgotten_model_receivers():
    """Whoever listens to saves and deletions of models inside it is gone afterwards."""
    kept = [(signal, list(signal.receivers)) for signal in (post_save, post_delete)]
    try:
        yield
    finally:
        for signal, receivers in kept:
            signal.receivers = receivers
            signal.sender_receivers_cache.clear()


@contextmanager
def running_node(**settings):
    """A node of this process, as a server has one; its sockets are gone afterwards."""
    config = from_mapping({key.upper(): value for key, value in settings.items()})
    node = Node(config)
    queries.register(node)
    node.start()
    try:
        yield node
    finally:
        # What still waits would otherwise be told to the receivers of the next test.
        node.pool.wait_until_idle(10)
        node.stop()
        for socket in connected_sockets:
            connected_sockets.remove(socket)


class HeldLease:
    """What is done by one server of all is done by this one."""

    is_held = True
    is_free = True

    def take(self):
        return self.is_free

    def release(self):
        self.is_held = False


def a_request(path="/ws/", **headers):
    return RequestFactory().get(path, **headers)


class RecordingTransport:
    """A client without a network: what it would have been sent. It is a subscriber, too."""

    def __init__(self, node, session_id=None, was=None, everyone=True):
        self.node = node
        self.session = ClientSession(node, self, a_request(), session_id or node.new_session_id())
        self.socket = self.session.socket
        self.was = was
        self.sent = []  # (name, data) of events and messages of its own
        self.heard = []  # messages of channels
        self.catch_ups = []  # (channel, since, CatchUp)
        self.acks = []
        self.expelled = []  # channels that it had to leave
        self.closed = None
        self.aborted = None
        self.paused = False
        self.is_behind = False
        self.kind = "websocket"
        self.answer = SENT  # what becomes of a delivery
        connected_sockets.add(self.socket)
        if everyone:
            node.subscribe(self, {EVERYONE: 0})

    def leave(self):
        for channel in (EVERYONE, *self.socket.channels):
            self.node.unsubscribe(self, channel)
        connected_sockets.remove(self.socket)

    @property
    def data_heard(self):
        return [json.loads(message.data_json) for message in self.heard]

    # As a subscriber

    codec = wire = None

    def leave_lanes(self):
        pass

    def deliver(self, encoded):
        if self.answer is not DROPPED:
            self.heard.extend(encoded[list])
        return self.answer

    def deleted(self, channel, notice, position):
        self.session.expel(channel)

    def is_known_as(self, session_id):
        return session_id in (self.socket.id, self.was)

    # As a transport

    def accept(self):
        self.accepted = True

    def refuse(self, reason, data):
        self.close(3500, reason)

    def send_event(self, name, arguments, reply_id):
        if self.answer is not DROPPED:
            self.sent.append((name, json.loads(arguments.data_json), reply_id))
        return self.answer

    reserved_events = frozenset(plain.RESERVED)

    def send_not_received(self, event_id, name):
        self.acks.append((event_id, "not received"))

    def send_ack(self, event_id, arguments):
        self.acks.append((event_id, json.loads(arguments.data_json)))

    def send_caught_up(self, channel, since, catch_up, command_id):
        self.catch_ups.append((channel, since, catch_up))
        self.heard.extend(messages_of(catch_up.items))

    def send_expelled(self, channel):
        self.expelled.append(channel)

    def close(self, code, reason):
        self.closed = self.closed or (code, reason)

    def abort(self, reason):
        self.aborted = reason

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False


class FakeLanes:
    """What a wire knows of the lanes that it is in."""

    descriptor = -1

    def __init__(self):
        self.lanes = []

    def enter_lane(self, lane, member):
        assert (lane, member) not in self.lanes
        self.lanes.append((lane, member))

    def leave_lane(self, lane, member):
        self.lanes.remove((lane, member))
        lane.ask_again(member)

    def leave_lanes(self):
        lanes, self.lanes = self.lanes, []
        for lane, member in lanes:
            lane.ask_again(member)

    def sent_up_to(self, member):
        return [lane.position_of(member) for lane, one in self.lanes if one is member]


class RecordingWire(FakeLanes):
    """The bytes that would have left, read as a WebSocket client reads them."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.owner = None
        self.is_open = True
        self.paused = False
        self.ended = None
        self.is_ended = False
        self._outbox_size = 0
        self.read_size = READ_SIZE
        self.head = b""
        self.visitor = None
        self.progress = 0.0
        self.drained = None
        self.breaks = False  # whether the next write finds the client gone

    @property
    def outbox_size(self):
        return self._outbox_size

    @outbox_size.setter
    def outbox_size(self, size):
        if size:
            self.leave_lanes()
        self._outbox_size = size

    def start(self, owner):
        self.owner = owner

    def write(self, data):
        if self.breaks:
            self.abort("cannot be written to")
        if not self.is_open:
            return DROPPED
        self.written += data
        return QUEUED if self.outbox_size else SENT

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    def end_writing(self):
        self.is_ended = True

    @property
    def send(self):
        return self._send if self.is_open and not self.outbox_size else None

    def _send(self, data):
        assert not self.outbox_size, "it was written to without being asked, and something waited"
        if self.breaks or not self.is_open:
            raise BrokenPipeError
        self.written += data
        return len(data)

    def when_drained(self, callback):
        self.drained = callback

    def drain(self):
        """What waited in the outbox has left."""
        self.outbox_size = 0
        drained, self.drained = self.drained, None
        if drained is not None:
            drained()

    def finish(self, reason):
        self.abort(reason)

    def abort(self, reason):
        if self.is_open:
            self.is_open = False
            self.ended = reason
            self.leave_lanes()
            if self.owner is not None:
                self.owner.lost(reason)

    def frames(self):
        """(opcode, payload) of everything that was written."""
        found, data = [], self.written
        while data:
            opcode, size, start = data[0] & 0x0F, data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            found.append((opcode, data[start : start + size]))
            data = data[start + size :]
        return found

    def texts(self):
        return [json.loads(payload) for opcode, payload in self.frames() if opcode == 1]

    def close(self):
        """The close frame that was sent, if one was."""
        for opcode, payload in self.frames():
            if opcode == 8:
                return Close(int.from_bytes(payload[:2], "big"), payload[2:].decode())
        return None


def masked(opcode, payload=b"", fin=True):
    """A frame as a client writes it."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload)
    if size < 126:
        head = bytes((size | 0x80,))
    elif size < 65536:
        head = b"\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\xff" + size.to_bytes(8, "big")
    # With a mask of zeros the payload stays as it is.
    return bytes((opcode | (0x80 if fin else 0),)) + head + b"\0\0\0\0" + payload


def text(value):
    return masked(1, value if isinstance(value, str) else json.dumps(value))
