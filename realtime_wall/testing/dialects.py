"""What do the texts mean that a test client and its server send each other, on each transport?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import gevent
from gevent.event import AsyncResult

from realtime_wall.protocol.attachments import extract_binary
from realtime_wall.protocol.engineio import EnginePacketType, decode_text, encode_text
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.push_stream import DELETED, GAP, PING, RETRACTED
from realtime_wall.protocol.socketio import (
    GAP_EVENT,
    OFFSET_EVENT,
    Decoder,
    Packet,
    PacketType,
    ack_text,
    binary_event_texts,
    event_text,
)
from realtime_wall.testing.carriers import ClientCarrier

_POSITION = re.compile(r"[0-9A-Za-z_-]+:\d+(?:\+.*)?").fullmatch
_EVENT_OF = {GAP: "gap", RETRACTED: "retracted", DELETED: "deleted"}


@dataclass(frozen=True, slots=True)
class Received:
    """What a client was sent: a message is an event of that name."""

    event: str
    data: Any
    channel: str | None = None
    cursor: str | None = None


class ConnectRefused(Exception):
    """The server has not let a client in: by a status of HTTP, or afterwards, by a code and with data."""

    def __init__(self, code: int | None, reason: str, data: Any = None) -> None:
        self.code = code
        self.reason = reason
        self.data = data
        super().__init__(f"{code or ''} {reason}".strip())


class ErrorReply(Exception):
    """The server's answer to something that it has not done."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class Dialect:
    """Reads what a carrier brings, in a greenlet of its own."""

    session_id = ""
    auth: Any = None  # what a Socket.IO client comes back with

    def __init__(self, carrier: ClientCarrier, report: Callable[[Received | None], None]) -> None:
        """``report`` is called with what is received, and with None when the connection has ended."""
        self.carrier = carrier
        self.cursor = ""
        self.accepted: AsyncResult[None] = AsyncResult()
        self.answers: dict[str, Callable[..., Any]] = {}  # to what the server asks
        self._report = report
        self._replies: dict[Any, AsyncResult[Any]] = {}
        self._ids = count(1)
        self._begin()
        gevent.spawn(self._run)

    def _begin(self) -> None:
        self.accepted.set(None)

    def _run(self) -> None:
        for data in self.carrier.read():
            self._received(data)
        self._end()

    def _end(self) -> None:
        code, reason = self.carrier.closed or (None, "")
        refused = ConnectRefused(code, reason)
        for waiting in (self.accepted, *self._replies.values()):
            if not waiting.ready():
                waiting.set_exception(refused)
        self._report(None)

    def _received(self, data: str | bytes) -> None:
        raise NotImplementedError

    def emit(self, name: str, args: Sequence[Any], reply: AsyncResult[Any] | None = None) -> None:
        raise TypeError("this client only listens")

    def subscribe(self, channel: str, since: str | None, token: str | None, reply: AsyncResult[Any]) -> None:
        raise TypeError("this client says its channels as it connects")

    def unsubscribe(self, channel: str, reply: AsyncResult[Any]) -> None:
        raise TypeError("this client says its channels as it connects")

    def _expect(self, reply: AsyncResult[Any] | None) -> int | None:
        if reply is None:
            return None
        id = next(self._ids)
        self._replies[id] = reply
        return id

    def _message(self, event: str, data: Any, channel: str | None = None, cursor: str | None = None) -> None:
        if cursor:
            self.cursor = cursor
        self._report(Received(event, data, channel, cursor))


def one_of(args: Sequence[Any]) -> Any:
    """Several arguments are a list, as in JSON."""
    return list(args) if len(args) > 1 else args[0] if args else None


class PlainDialect(Dialect):
    """docs/reference/plain-websocket.rst"""

    def _begin(self) -> None:
        """It is accepted by a welcome."""

    def _received(self, data: str | bytes) -> None:
        fields = json.loads(data)
        kind, id = fields["type"], fields.get("id")
        if kind == "welcome":
            self.session_id = fields["message"]["session"]
            self.cursor = fields["cursor"]
            self.accepted.set(None)
        elif (reply := self._replies.pop(id, None)) is not None and kind in _REPLIES:
            if kind == "error":
                reply.set_exception(ErrorReply(fields["code"], fields["message"]))
                return
            if kind == "gap":
                self._message("gap", None, fields.get("channel"), fields["cursor"])
            reply.set(fields.get("message"))
        else:
            message = fields if kind == "error" else fields.get("message")
            self._message(kind, message, fields.get("channel"), fields.get("cursor"))
            if id is not None and kind in self.answers:
                self._write(type="ack", id=id, message=self.answers[kind](message))

    def _write(self, **fields: Any) -> None:
        self.carrier.send(encode_json({name: value for name, value in fields.items() if value is not None}))

    def emit(self, name: str, args: Sequence[Any], reply: AsyncResult[Any] | None = None) -> None:
        self._write(type=name, message=one_of(args), id=self._expect(reply))

    def subscribe(self, channel: str, since: str | None, token: str | None, reply: AsyncResult[Any]) -> None:
        self._write(type="subscribe", channel=channel, since=since, token=token, id=self._expect(reply))

    def unsubscribe(self, channel: str, reply: AsyncResult[Any]) -> None:
        self._write(type="unsubscribe", channel=channel, id=self._expect(reply))


_REPLIES = ("ack", "error", "subscribed", "unsubscribed", "gap")


class ItemDialect(Dialect):
    """docs/reference/channels.rst: one JSON object for each message, or what a channel's template makes."""

    def _received(self, data: str | bytes) -> None:
        text = data.decode() if isinstance(data, bytes) else data
        for line in text.split("\r\n"):
            if line:
                self._item(line)

    def _item(self, text: str) -> None:
        try:
            item = json.loads(text)
            id, data, channel, cursor = item["id"], item["text"], item["channel"], item["cursor"]
        except (ValueError, KeyError, TypeError):
            self._message("message", text)  # a template's
            return
        if id != PING:
            self._message(_EVENT_OF.get(id) or item.get("event") or "message", data, channel, cursor)


class EventStreamDialect(ItemDialect):
    """The events of an EventSource, each up to an empty line."""

    def _received(self, data: str | bytes) -> None:
        fields: dict[str, str] = {}
        for line in str(data).split("\n"):
            name, _, value = line.partition(": ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        self.cursor = fields.get("id") or self.cursor
        if fields.get("data"):
            self._item(fields["data"])


class SocketIODialect(Dialect):
    """Socket.IO in the messages of Engine.IO; ``auth`` goes with the CONNECT."""

    def __init__(
        self, carrier: ClientCarrier, report: Callable[[Received | None], None], namespace: str, auth: Any
    ) -> None:
        self._namespace = namespace
        self._auth = auth
        self._decoder = Decoder()
        self._pid: str | None = None
        super().__init__(carrier, report)

    def _begin(self) -> None:
        """It is accepted by a CONNECT."""

    def _received(self, data: str | bytes) -> None:
        packet = self._decoder.receive_binary(data) if isinstance(data, bytes) else self._engine_packet(data)
        if packet is not None:
            self._packet(packet)

    def _engine_packet(self, text: str) -> Packet | None:
        packet = decode_text(text)
        if packet.type is EnginePacketType.OPEN:
            opened = getattr(self.carrier, "opened", None)
            if opened is not None:
                opened(json.loads(packet.data)["sid"])
            head = "" if self._namespace == "/" else f"{self._namespace},"
            self._send(f"0{head}{'' if self._auth is None else encode_json(self._auth)}")
        elif packet.type is EnginePacketType.PING:
            self.carrier.send(encode_text(EnginePacketType.PONG))
        elif packet.type is EnginePacketType.MESSAGE and isinstance(packet.data, bytes):
            return self._decoder.receive_binary(packet.data)
        elif packet.type is EnginePacketType.MESSAGE:
            return self._decoder.receive_text(str(packet.data))
        return None

    def _packet(self, packet: Packet) -> None:
        match packet.type:
            case PacketType.CONNECT:
                self.session_id, self._pid = packet.data["sid"], packet.data.get("pid")
                self.accepted.set(None)
            case PacketType.CONNECT_ERROR:
                error = packet.data if isinstance(packet.data, dict) else {"message": packet.data}
                self.accepted.set_exception(ConnectRefused(None, error.get("message", ""), error.get("data")))
            case PacketType.DISCONNECT:
                self.carrier.closed = (None, "io server disconnect")
                self._report(None)
            case PacketType.ACK:
                if (reply := self._replies.pop(packet.id, None)) is not None:
                    reply.set(one_of(packet.data))
            case PacketType.EVENT:
                self._event(packet)

    def _event(self, packet: Packet) -> None:
        name, *args = packet.data
        cursor = None
        if self._pid and args and isinstance(args[-1], str) and _POSITION(args[-1]):
            cursor = args.pop()
            self.auth = {"pid": self._pid, "offset": cursor}
        if name == GAP_EVENT:
            self._message("gap", None, args[0]["channel"], args[0]["cursor"])
        elif name != OFFSET_EVENT:
            self._message(name, one_of(args), None, cursor)
        if packet.id is not None and name in self.answers:
            answer = encode_json(self.answers[name](one_of(args)))
            self._send(ack_text(self._namespace, packet.id, [answer]))

    def _send(self, text: str) -> None:
        self.carrier.send(encode_text(EnginePacketType.MESSAGE, text))

    def emit(self, name: str, args: Sequence[Any], reply: AsyncResult[Any] | None = None) -> None:
        plain, attachments = extract_binary(list(args))
        texts, id = [encode_json(one) for one in plain], self._expect(reply)
        if not attachments:
            self._send(event_text(self._namespace, name, texts, id))
            return
        first, *binary = binary_event_texts(self._namespace, name, texts, attachments, id)
        self._send(str(first))
        for one in binary:
            self.carrier.send(one)

    def subscribe(self, channel: str, since: str | None, token: str | None, reply: AsyncResult[Any]) -> None:
        self._command("subscribe", [channel, since, token], reply)

    def unsubscribe(self, channel: str, reply: AsyncResult[Any]) -> None:
        self._command("unsubscribe", [channel], reply)

    def _command(self, name: str, args: Sequence[Any], reply: AsyncResult[Any]) -> None:
        answer: AsyncResult[Any] = AsyncResult()
        answer.rawlink(lambda answer: _pass_on(answer, reply))
        self.emit(name, args, answer)


def _pass_on(answer: AsyncResult[Any], reply: AsyncResult[Any]) -> None:
    """The answer to a command may say what is wrong."""
    value = answer.value
    if answer.exception is not None:
        reply.set_exception(answer.exception)
    elif isinstance(value, dict) and "error" in value:
        reply.set_exception(ErrorReply(value["error"], value["message"]))
    else:
        reply.set(value)
