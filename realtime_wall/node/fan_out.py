"""One message to all subscribers of this process, in the order of the log.

A message is encoded once for each kind of client; a delivery is a non-blocking write. Everything goes
through one queue and one greenlet, which yields to the event loop every few milliseconds, so that a
large audience delays nobody's page. Messages that wait for the same audience leave in one write.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import gevent
from gevent.event import Event

from realtime_wall.brokers.waiting import must_not_wait
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.wire.connection import DROPPED, QUEUED, SENT, Written
from realtime_wall.wire.time_slice import SLICE, TimeSlice

log = logging.getLogger(__name__)

# Reading the clock costs about as much as a twentieth of a delivery.
DELIVERIES_PER_LOOK = 32
# Publishers that are this many messages ahead of the deliveries wait.
BACKLOG = 1000
# Messages for one audience are joined up to this size; beyond, copying costs more than a call.
BATCH = 32 * 1024

Codec = Callable[[list[Message]], bytes]


class Encoded(dict[Codec, bytes]):
    """The bytes of some messages for each kind of client, made when the first of a kind asks."""

    __slots__ = ("messages",)

    def __init__(self, messages: list[Message]) -> None:
        super().__init__()
        self.messages = messages

    def __missing__(self, codec: Codec) -> bytes:
        self[codec] = data = codec(self.messages)
        return data


class Subscriber(Protocol):
    """Whatever can be delivered to."""

    @property
    def session(self) -> ClientSession | None:
        """Its client's, if that one can be sent to and asked by itself; None for who only listens."""

    @property
    def is_behind(self) -> bool:
        """Whether it is to do without volatile messages now: something waits for its client."""

    def deliver(self, encoded: Encoded) -> Written: ...

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        """The channel is no more; up to the position everything of it was delivered."""

    def is_known_as(self, session_id: str) -> bool:
        """Whether this is the client that a message leaves out, under its present or an earlier id."""


class ListensOnly:
    """What is the same for every subscriber that is no socket."""

    __slots__ = ()
    session = None
    is_behind = True  # volatile messages are for sockets

    def is_known_as(self, session_id: str) -> bool:
        return False


class Delivery:
    """One message on its way, and how many it reached."""

    __slots__ = ("audience", "counts", "done", "message", "then")

    def __init__(
        self, message: Message, audience: tuple[Subscriber, ...], then: Callable[[Delivery], None] | None
    ) -> None:
        self.message = message
        self.audience = audience
        self.counts = [0, 0, 0]  # by Written
        self.then = then
        self.done = Event()


class FanOut:
    def __init__(self) -> None:
        self._queue: deque[Delivery] = deque()
        self._work = Event()
        self._room = Event()
        self._room.set()
        self._greenlet: gevent.Greenlet[..., Any] | None = None
        self._is_delivering = False
        self._delivering_from = 0
        self._time_slice = TimeSlice(SLICE)
        self.delivered = 0  # messages that were written to clients, each counted for each
        self.dropped = 0  # deliveries that found a client gone, or too slow
        # Who left a channel while messages were on their way, and the last offset at that moment.
        self._unsubscribed_at: dict[tuple[Subscriber, str], int] = {}

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def push(
        self,
        message: Message,
        audience: tuple[Subscriber, ...],
        then: Callable[[Delivery], None] | None = None,
    ) -> Delivery:
        """Queue a message for those who were subscribed at its position. Does not wait.

        ``then`` is called when it was delivered; it must not wait either.
        """
        if message.exclude is not None:
            audience = tuple(one for one in audience if not one.is_known_as(message.exclude))
        delivery = Delivery(message, audience, then)
        self._queue.append(delivery)
        self._work.set()
        if len(self._queue) >= BACKLOG:
            self._room.clear()
        return delivery

    def forget(self, subscriber: Subscriber, channel: str, top: Position) -> None:
        """Deliver nothing of the channel that is still on its way to somebody who has left it.

        It would arrive after the answer to its unsubscribe and, when it returns with a cursor, twice.
        """
        if self._queue or self._is_delivering:
            self._unsubscribed_at[subscriber, channel] = top.offset

    @property
    def oldest_pending_offset(self) -> int | None:
        """The offset of the oldest message that not all of its audience has been given yet."""
        if self._is_delivering:
            return self._delivering_from
        return self._queue[0].message.position.offset if self._queue else None

    def wait_for_room(self) -> None:
        if not self._room.is_set():  # waiting for what is there costs as much as a delivery
            self._room.wait()

    def _run(self) -> None:
        must_not_wait()  # for other processes: their entries wait for what is delivered here
        while True:
            self._work.wait()
            self._work.clear()
            while self._queue:
                batch = self._next_batch()
                self._is_delivering = True
                self._delivering_from = batch[0].message.position.offset
                try:
                    self._deliver(batch)
                except Exception:
                    log.exception("a message could not be delivered")
                for delivery in batch:
                    self._is_done(delivery)
            self._is_delivering = False
            self._unsubscribed_at.clear()
            self._room.set()

    def _is_done(self, delivery: Delivery) -> None:
        delivery.done.set()
        if delivery.then is not None:
            try:
                delivery.then(delivery)
            except Exception:
                log.exception("what follows a delivery failed")

    def _next_batch(self) -> list[Delivery]:
        batch = [self._queue.popleft()]
        size = batch[0].message.size
        # ``is``: an audience's tuple is shared for as long as nobody joins or leaves.
        while self._queue and self._queue[0].audience is batch[0].audience:
            if batch[0].message.is_volatile or self._queue[0].message.is_volatile:
                break
            size += self._queue[0].message.size
            if size > BATCH:
                break
            batch.append(self._queue.popleft())
        return batch

    def _deliver(self, batch: list[Delivery]) -> None:
        encoded = Encoded([delivery.message for delivery in batch])
        counts, sent = [0, 0, 0], 0
        audience, is_volatile = batch[0].audience, batch[0].message.is_volatile
        first = batch[0].message.position.offset
        self._unsubscribed_at = {left: top for left, top in self._unsubscribed_at.items() if top >= first}
        self._time_slice.restart()
        for start in range(0, len(audience), DELIVERIES_PER_LOOK):
            for subscriber in audience[start : start + DELIVERIES_PER_LOOK]:
                try:
                    if self._unsubscribed_at or is_volatile:
                        written = self._deliver_wanted(subscriber, encoded)
                    else:
                        written = subscriber.deliver(encoded)
                except Exception:  # one subscriber's trouble is not its neighbours'
                    log.exception("a message could not be delivered to one subscriber")
                    written = DROPPED
                if written is SENT:  # nearly always: the list takes longer
                    sent += 1
                elif written is not None:
                    counts[written] += 1
            self._time_slice.yield_if_due()
        counts[SENT] += sent
        self.delivered += (counts[QUEUED] + counts[SENT]) * len(batch)
        self.dropped += counts[DROPPED]
        for delivery in batch:
            delivery.counts = counts

    def _deliver_wanted(self, subscriber: Subscriber, encoded: Encoded) -> Written | None:
        """None when it is nothing."""
        wanted = self._wanted(subscriber, encoded) if self._unsubscribed_at else encoded
        if encoded.messages[0].is_volatile and subscriber.is_behind:
            return DROPPED
        return subscriber.deliver(wanted) if wanted.messages else None

    def _wanted(self, subscriber: Subscriber, encoded: Encoded) -> Encoded:
        left = self._unsubscribed_at
        messages = [
            message
            for message in encoded.messages
            if message.position.offset > left.get((subscriber, message.channel), 0)
        ]
        return encoded if len(messages) == len(encoded.messages) else Encoded(messages)
