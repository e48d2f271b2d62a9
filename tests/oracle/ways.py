"""The five ways to listen, each as docs/reference describes it and not as our own client does it."""

from __future__ import annotations

import json
from time import monotonic
from urllib.parse import quote

from tests.oracle.client import Client
from tests.oracle.journal import Odd, Place, Resumed
from tests.oracle.reading import (
    CLOSE,
    PING,
    TEXT,
    Chunks,
    Frames,
    Head,
    Item,
    Known,
    Message,
    Parts,
    frame,
    item_of,
    message_of,
)

PONG = 10
GAP_ITEM, PING_ITEM = -4, -1
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
GET = "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n"


def _stay_away(code: int) -> bool:
    return code == 1008 or 3500 <= code < 4000


class OnFrames(Client):
    """On a WebSocket, with a cursor for each channel."""

    path = ""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._frames = Frames()
        self._answered: set[str] = set()  # the channels that it hears on this connection

    def request(self) -> bytes:
        return UPGRADE.format(path=self.path, host="127.0.0.1").encode()

    def answered(self, head: Head) -> None:
        if head.status != 101:
            self.refuse(f"status {head.status}")
        else:
            self.connected()

    def received(self, data: bytes) -> None:
        for opcode, content in self._frames.receive(data):
            if opcode == TEXT:
                self.text(content)
            elif opcode == PING:
                self.send(frame(content, PONG))
            elif opcode == CLOSE:
                code = int.from_bytes(content[:2], "big") if content else 1005
                if _stay_away(code):
                    self.stay_away(f"close {code} {content[2:]!r}")
                self.send(frame(content[:2], CLOSE))
                self.lost(f"close {code}")
            if self.connection is None:
                return

    def text(self, content: bytes) -> None:
        raise NotImplementedError

    def ended(self) -> None:
        self._frames = Frames()
        self._answered = set()

    def hears(self, channel: str) -> None:
        self._answered.add(channel)
        if not self.is_back and len(self._answered) == len(self.channels):
            self.back()

    def asks(self, channel: str) -> Place | None:
        """From where to go on; None for who is new."""
        since = self.cursors.get(channel)
        if since is not None:
            self.note(Resumed(channel, since))
        return since


def _plain(content: bytes):
    fields = json.loads(content)
    if fields["type"] != "message":
        return fields
    message = message_of(fields["message"], fields["cursor"])
    if message.channel != fields["channel"]:
        raise ValueError(f"a message of {message.channel!r} came as one of {fields['channel']!r}")
    return message


class PlainWebSocket(OnFrames):
    kind = "websocket"
    path = "/ws/"
    known = Known(_plain)

    def text(self, content: bytes) -> None:
        found = self.known[content]
        if type(found) is Message:
            self.heard(found)
            return
        channel = found.get("channel")
        match found["type"]:
            case "welcome":
                for one in self.channels:
                    since = self.asks(one)
                    command = {
                        "type": "subscribe",
                        "channel": one,
                        **({"since": str(since)} if since else {}),
                    }
                    self.send(frame(json.dumps(command).encode()))
                    if self.connection is None:
                        return
            case "subscribed":
                self.stands(channel, Place.parse(found["cursor"]))
                self.hears(channel)
            case "gap" if channel is not None:
                self.gap(channel, Place.parse(found["cursor"]))
                self.hears(channel)
            case _:
                self.note(Odd(f"was told {found}"))


def _socketio(content: bytes):
    if not content.startswith(b"42["):
        return None
    name, *arguments = json.loads(content[2:])
    if name != "message":
        return name, arguments
    return message_of(*arguments)


class SocketIO(OnFrames):
    """As the official client: what it has last is an offset, for all channels of its visit."""

    kind = "socket.io"
    path = "/socket.io/?EIO=4&transport=websocket"
    known = Known(_socketio)

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._pid: str | None = None
        self._offset = ""  # as the official client it keeps it in its next session, too
        self._is_of_this_visit = False
        self._visited: set[str] = set()  # the channels whose subscription was acknowledged

    def text(self, content: bytes) -> None:
        found = self.known[content]
        if type(found) is Message:
            self._keep(str(found.place))
            self.heard(found)
        elif found is not None:
            self._event(*found)
        elif content == b"2":
            self.send(frame(b"3"))
        elif content.startswith(b"0{"):
            auth = {"pid": self._pid, "offset": self._offset} if self._pid else {}
            known = {key: value for key, value in auth.items() if value}
            self.send(frame(b"40" + (json.dumps(known).encode() if known else b"")))
        elif content.startswith(b"40{"):
            self._welcomed(json.loads(content[2:]))
        elif content.startswith(b"43"):
            number, _, answer = content[2:].partition(b"[")
            self._acknowledged(self.channels[int(number)], json.loads(b"[" + answer)[0])
        elif content.startswith((b"41", b"44")):
            self.stay_away(content.decode())
        elif content != b"6":
            self.note(Odd(f"was told {content[:200]!r}"))

    def _welcomed(self, fields) -> None:
        if self._pid is not None and fields.get("pid") == self._pid:
            for channel in self.channels:
                if channel in self._visited:
                    self.note(Resumed(channel, self._has_heard(channel)))
                    self.hears(channel)
        else:
            self._pid, self._is_of_this_visit = fields.get("pid"), False
            self._visited = set()
        for number, channel in enumerate(self.channels):
            if channel not in self._visited and self.connection is not None:
                since = self.asks(channel)
                arguments = ["subscribe", channel, *([str(since)] if since else [])]
                self.send(frame(f"42{number}{json.dumps(arguments)}".encode()))

    def _has_heard(self, channel: str) -> Place:
        """All of its visit may be told again to one that has no offset of it."""
        return Place.parse(self._offset) if self._is_of_this_visit else Place(self.cursors[channel].epoch, -1)

    def _keep(self, offset: str) -> None:
        self._offset, self._is_of_this_visit = offset, True

    def _acknowledged(self, channel: str, answer) -> None:
        if "error" in answer:
            self.note(Odd(f"subscribing to {channel!r} was answered by {answer}"))
            return
        place = Place.parse(answer["cursor"])
        if answer.get("recovered") is False:
            self.gap(channel, place)
        else:
            self.stands(channel, place)
        self._visited.add(channel)
        self.hears(channel)

    def _event(self, name: str, arguments) -> None:
        if arguments and isinstance(arguments[-1], str):
            self._keep(arguments[-1])
        if name == "realtime_wall:gap":
            self.gap(arguments[0]["channel"], Place.parse(arguments[0]["cursor"]))
        elif name != "realtime_wall:offset":
            self.note(Odd(f"heard the event {name!r} {arguments}"))


class OverHTTP(Client):
    """Under ``events/``, with one cursor for all channels."""

    one_cursor = True
    place = ""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.cursor: Place | None = None
        self._lost: list[str] = []  # channels that were told to have a gap; where it ends is still to come

    def request(self) -> bytes:
        names = "/".join(map(quote, self.channels))
        # Who is new asks first where it stands.
        path, fields = f"/events/{self.place if self.cursor else 'poll'}/{names}", ""
        self._lost = []
        if self.cursor is not None:
            self.note(Resumed(None, self.cursor))
            path, fields = self.with_cursor(path, str(self.cursor))
        return GET.format(path=path, host="127.0.0.1", fields=fields).encode()

    def with_cursor(self, path: str, cursor: str) -> tuple[str, str]:
        raise NotImplementedError

    def answered(self, head: Head) -> None:
        if self.cursor is None:
            if head.status != 304:
                self.refuse(f"status {head.status}")
                return
            self.stands(None, etag_of(head))
            self.close()
            self.connect()
        else:
            self.begun(head)

    def begun(self, head: Head) -> None:
        raise NotImplementedError

    def stands(self, channel: str | None, place: Place) -> None:
        if place != self.cursor:
            super().stands(channel, place)
            self.cursor = place

    def item(self, item: Item) -> None:
        if item.message is not None:
            self.heard(item.message)
            self.cursor = item.message.place
        elif item.id == GAP_ITEM:
            self._lost.append(item.channel)
            if item.cursor not in ("", str(self.cursor)):  # the last of them
                place = Place.parse(item.cursor)
                for channel in self._lost:
                    self.gap(channel, place)
                self._lost = []
                self.cursor = place
        elif item.id == PING_ITEM:
            self.stands(None, Place.parse(item.cursor))
        else:
            self.note(Odd(f"was told {item}"))


def etag_of(head: Head) -> Place:
    return Place.parse(head.fields["etag"].removeprefix("W/").strip('"'))


class HTTPStream(OverHTTP):
    kind = "stream"
    place = "sub"
    known = Known(item_of)
    separator = b"\r\n"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.ended()

    def ended(self) -> None:
        self._chunks = Chunks()
        self._parts = Parts(self.separator)

    def with_cursor(self, path: str, cursor: str) -> tuple[str, str]:
        return f"{path}?since={cursor}", ""

    def begun(self, head: Head) -> None:
        if head.status != 200:
            self.refuse(f"status {head.status}")
            return
        self.connected()
        self.back()

    def received(self, data: bytes) -> None:
        for part in self._parts.receive(self._chunks.receive(data)):
            self.part(part)
        if self._chunks.is_over:
            self.lost("ended")

    def part(self, part: bytes) -> None:
        self.item(self.known[part])


def _server_sent_event(block: bytes) -> tuple[str | None, Item | None]:
    fields = dict(line.partition(": ")[::2] for line in block.decode().split("\n"))
    data = fields.get("data")
    return fields.get("id"), None if data is None else item_of(data.encode())


class EventSource(HTTPStream):
    kind = "events"
    place = "ev"
    known = Known(_server_sent_event)
    separator = b"\n\n"

    def with_cursor(self, path: str, cursor: str) -> tuple[str, str]:
        return path, f"Accept: text/event-stream\r\nLast-Event-ID: {cursor}\r\n"

    def part(self, part: bytes) -> None:
        id, item = self.known[part]
        if item is not None:
            self.item(item)
        elif id is not None:  # only where it stands
            self.stands(None, Place.parse(id))


class LongPoll(OverHTTP):
    kind = "polling"
    place = "lp"
    known = Known(lambda body: [item_of(line) for line in body.split(b"\r\n")])

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._answer = b""
        self._answer_head: Head | None = None

    def with_cursor(self, path: str, cursor: str) -> tuple[str, str]:
        if not self.is_back:
            self.back()  # what comes from now on is in the answer
        return path, f'If-None-Match: W/"{cursor}"\r\n'

    def ended(self) -> None:
        self._answer = b""

    def begun(self, head: Head) -> None:
        if head.status not in (200, 304):
            self.refuse(f"status {head.status}")
            return
        self._answer_head = head
        if head.status == 304:
            self._whole(head)

    def received(self, data: bytes) -> None:
        head = self._answer_head
        assert head is not None
        self._answer += data
        if len(self._answer) >= int(head.fields["content-length"]):
            for item in self.known[self._answer]:
                self.item(item)
            self._whole(head)

    def _whole(self, head: Head) -> None:
        self.stands(None, etag_of(head))
        if not self.is_connected:
            self.connected()
        self.close()
        self.last_data = monotonic()
        self.loop.later(self.loop.poll_pause, self)


WAYS: dict[str, type[Client]] = {
    way.kind: way for way in (PlainWebSocket, SocketIO, EventSource, LongPoll, HTTPStream)
}
