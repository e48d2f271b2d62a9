"""A long poll: one answer, as soon as there is something to send.

What was there already is answered by the view, on a connection that stays open. Only who has to wait is
handed over, costs no greenlet, and is answered with everything that is delivered together; then the
connection ends.
"""

from __future__ import annotations

from email.utils import formatdate
from time import time

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since, messages_of
from realtime_wall.channels.where import Where, wanted
from realtime_wall.node.fan_out.subscriber import Encoded, ListensOnly
from realtime_wall.node.node import Node
from realtime_wall.protocol import push_stream
from realtime_wall.protocol.http_stream import head
from realtime_wall.sockets.budgets.user_connection import UserConnection
from realtime_wall.transports.one_way import formats
from realtime_wall.wire.connection import DROPPED, Wire, Written

Headers = list[tuple[str, str]]
NOT_MODIFIED = "304 Not Modified"


def validators(position: Position, when: float) -> Headers:
    """By which a client names, the next time, what it had last."""
    return [("Last-Modified", formatdate(when, usegmt=True)), ("ETag", f'W/"{position}"')]


class Body:
    """How the messages of an answer are written: one after the other, or as a call for a script tag."""

    def __init__(self, node: Node, callback: str | None = None) -> None:
        self._rules = node.rules
        self._callback = callback

    def text(self, items: list[push_stream.Item]) -> str:
        texts = [formats.text_of(item, self._rules) for item in items]
        if self._callback is None:
            return formats.CRLF.join(texts)
        # The comment keeps the name from being the first thing in the file: CVE-2014-4671.
        return f"/**/{self._callback}([{','.join(texts)}]);"

    @property
    def content_type(self) -> str:
        kind = "application/json" if self._callback is None else "application/javascript"
        return f"{kind}; charset=utf-8"


class LongPoll(ListensOnly):
    __slots__ = (
        "_answered",
        "_body",
        "_headers",
        "_node",
        "_of_user",
        "_where",
        "_wire",
        "channels",
        "due",
        "session_key",
    )

    def __init__(
        self,
        node: Node,
        wire: Wire,
        headers: Headers,
        body: Body,
        session_key: str | None,
        where: Where | None = None,
    ) -> None:
        self.due = 0
        self.channels: tuple[str, ...] = ()
        self.session_key = session_key
        self._of_user = UserConnection(node.visitors)
        self._node = node
        self._wire = wire
        self._headers = headers
        self._body = body
        self._where = where
        self._answered = False

    def begin(self, channels: tuple[str, ...], since: Position) -> None:
        """Wait for what follows a position, at which there was nothing to send."""
        node = self._node
        self._wire.start(self)
        self._of_user.belongs_to(self.session_key)
        self.channels = channels
        node.listeners.add(self)
        found = node.subscribe(self, dict.fromkeys(channels, 0), Since(position=since))
        items = wanted(self._where, found.items)
        if items:  # published while the response was on its way here
            self._answer_items(formats.items_of(items), messages_of(items), node.broker.top)
        else:
            node.timer_wheel.schedule(self, node.config.long_poll_timeout)

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        if self._answered:
            return DROPPED  # it asks again, and is sent it
        messages = wanted(self._where, [one for one in encoded.messages if one.is_for("")])
        if not messages:
            return DROPPED  # it waits for what it wants
        return self._answer_items(list(map(formats.item_of, messages)), messages, messages[-1].position)

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        if not self._answered:
            self._answer_items([formats.deleted_item(channel, notice, position)], [], self._node.broker.top)

    def _answer_items(
        self, items: list[push_stream.Item], messages: list[Message], stands: Position
    ) -> Written:
        """``stands`` is where the client is once it has read them."""
        fields = validators(stands, messages[-1].time if messages else time())
        fields.append(("Content-Type", self._body.content_type))
        return self._answer("200 OK", fields, self._body.text(items).encode())

    def _answer(self, status: str, fields: Headers, body: bytes) -> Written:
        self._answered = True
        length = [] if status == NOT_MODIFIED else [("Content-Length", str(len(body)))]
        written = self._wire.write(
            head(status, [*self._headers, ("Date", formatdate(usegmt=True)), *fields, *length]) + body
        )
        self._wire.finish("answered")
        return written

    # As the wire's owner

    def received(self, data: bytes) -> None:
        """What it sends ahead is not read: the connection ends with this answer."""

    def lost(self, reason: str) -> None:
        self.due = 0
        self._of_user.close()
        self._node.listeners.discard(self)
        for channel in self.channels:
            self._node.unsubscribe(self, channel)

    # As the timer wheel's

    def tick(self, now: float) -> float | None:
        if not self._wire.is_open:
            return None
        if self._answered:
            self._wire.abort("stopped reading")
            return None
        self.end("waited in vain")
        return self._node.config.outbox_timeout

    def end(self, reason: str) -> None:
        """Answer that there was nothing; the next poll continues from here."""
        if self._answered:
            return
        position = self._node.delivered_position()
        if self._node.rules.of(self.channels[0]).timeout_with_body:
            self._answer_items([formats.timed_out_item(position)], [], position)
        else:
            self._answer(NOT_MODIFIED, validators(position, time()), b"")
