"""Socket.IO: the namespaces of one client, each with a socket of its own.

``protocol/socketio.py`` reads and writes the packets, ``engineio.py`` carries them, and what a client
does in a namespace is in ``namespace.py``.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

import gevent
from django.http import HttpRequest

from realtime_wall.auth.django_sessions import session_key_of
from realtime_wall.config import Config
from realtime_wall.node import session_migration
from realtime_wall.node.node import Node
from realtime_wall.protocol.attachments import Turn
from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.protocol.json_input import LARGE
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.socketio import CONNECT, MAIN_NAMESPACE, Packet
from realtime_wall.sockets.budgets.account import reading_large
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.handshake import (
    ResumeRequest,
    Resumption,
    resume,
    resume_from_elsewhere,
    resume_request,
)
from realtime_wall.transports.socketio.namespace import Namespace
from realtime_wall.transports.socketio.packet_format import JSON, Message, PacketDecoder, PacketFormat

log = logging.getLogger(__name__)

# How long a client may take to name a namespace, or to send the attachments of a packet.
PATIENCE = 10.0
NONE: frozenset[str] = frozenset()


def _format_of(first: Message, config: Config) -> PacketFormat:
    """Of the client whose first message this is."""
    if isinstance(first, str) or not config.socketio_msgpack:
        return JSON
    from realtime_wall.transports.socketio.msgpack_format import MESSAGE_PACK  # of an extra

    return MESSAGE_PACK


class SocketIOClient:
    """One Socket.IO client: what its packets mean."""

    __slots__ = (
        "_resuming",
        "_deadline",
        "_decoder",
        "_left",
        "_namespaces",
        "_node",
        "format",
        "request",
        "session",
    )

    def __init__(self, node: Node, session: EngineSession, request: HttpRequest) -> None:
        self.session = session
        session.account.belongs_to(session_key_of(request))
        self.request = request
        self._node = node
        self.format = JSON  # until it has sent something
        self._decoder: PacketDecoder | None = None
        self._namespaces: dict[str, Namespace] = {}
        # Namespaces whose session another server has, and what the client has sent them meanwhile.
        self._resuming: dict[str, list[Packet]] = {}
        self._left = NONE  # the namespaces it was in
        self._deadline = monotonic() + PATIENCE

    def message(self, data: str | bytes) -> None:
        decoder = self._decoder
        if decoder is None:
            self.format = _format_of(data, self._node.config)
            decoder = self._decoder = self.format.decoder(self._node.config)
        if len(data) > LARGE:
            with reading_large(self.session.account) as turn:
                packet = _decoded(decoder, data, turn)
            if not self.session.is_open:  # it may have ended while a large one was read
                return
        elif isinstance(data, bytes):
            packet = decoder.receive_binary(data)
        else:
            event, namespace = decoder.event(data), self._namespaces.get(MAIN_NAMESPACE)
            if event is not None and namespace is not None:
                namespace.event(*event)
                return
            packet = decoder.receive_text(data)
        if packet is not None:
            self._received(packet)
        elif isinstance(data, str):
            self._expect_more()

    def _received(self, packet: Packet) -> None:
        namespace = self._namespaces.get(packet.namespace)
        if packet.type is CONNECT:
            self._connect(packet)
        elif namespace is not None:
            namespace.received(packet)
        elif packet.namespace in self._resuming:
            self._resuming[packet.namespace].append(packet)
        # It may have been on its way when the client had to leave.
        elif packet.namespace not in self._left:
            raise BadPacket("a packet for a namespace that it is not connected to")

    def _connect(self, packet: Packet) -> None:
        name = packet.namespace
        if name in self._namespaces or name in self._resuming:
            raise BadPacket("connected twice to a namespace")
        if name not in self._node.config.namespaces:
            problem = encode_json({"message": "Invalid namespace"})
            self.session.send(self.format.connect_error(name, problem))
            return
        wanted = resume_request(self._node, self.request, packet.data)
        if wanted is None:
            self._enter(name, packet.data, None)
        elif session_migration.is_elsewhere(self._node, wanted.secret):
            self._resuming[name] = []
            self.session.pause()  # nobody knows how much else it sends
            gevent.spawn(self._resume_from_elsewhere, name, packet.data, wanted)
        else:
            self._enter(name, packet.data, resume(self._node, name, self.session.owner, wanted))

    def _enter(self, name: str, auth: Any, resumed: Resumption | None) -> None:
        namespace = self._namespaces[name] = Namespace(self._node, self, name, auth, resumed)
        namespace.begin()

    def _resume_from_elsewhere(self, name: str, auth: Any, wanted: ResumeRequest) -> None:
        """Not on the event loop, where nobody can wait for the other server."""
        try:
            resumed = resume_from_elsewhere(self._node, name, self.session.owner, wanted, self.request)
        except Exception:
            log.exception("session %s: its earlier session was not found", self.session.log_id)
            resumed = None
        packets = self._resuming.pop(name, None)
        if packets is None:  # it did not wait for that
            if resumed is not None:
                self._node.detached_sessions.detach(resumed.detached)
            return
        self._enter(name, auth, resumed)
        for packet in packets:
            self.session.dispatch(self._received, packet)
        self.session.resume()

    def leave(self, name: str) -> None:
        if self._namespaces.pop(name, None) is not None:
            self._left |= {name}
        if not self._namespaces:
            self._expect_more()

    def _expect_more(self) -> None:
        self._deadline = monotonic() + PATIENCE
        self.session.reschedule()

    # As the session's handler

    def session_closed(self, reason: str) -> None:
        self._resuming.clear()
        while self._namespaces:
            _, namespace = self._namespaces.popitem()
            namespace.end(may_return=True)

    def is_busy(self) -> bool:
        return bool(self._resuming) or any(
            namespace.session.inbox.paused for namespace in self._namespaces.values()
        )

    @property
    def deadline(self) -> float | None:
        is_owed = self._decoder is not None and self._decoder.is_waiting
        return self._deadline if is_owed or not self._namespaces else None


def _decoded(decoder: PacketDecoder, data: str | bytes, turn: Turn) -> Packet | None:
    return decoder.receive_text(data, turn) if isinstance(data, str) else decoder.receive_binary(data, turn)
