"""One message to all subscribers of this process, in the order of the log.

A message is encoded once for each kind of client; a delivery is a non-blocking write (``fast_lane.py``).
Everything goes through one queue and one greenlet, which yields to the event loop every few milliseconds,
so that a large audience delays nobody's page. Messages that wait for the same audience leave in one write.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from operator import add
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall.brokers.waiting import must_not_wait
from realtime_wall.channels.message import Message
from realtime_wall.node.fan_out.subscriber import Encoded, Subscriber
from realtime_wall.node.fan_out.subscriptions import Audience
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.wire.connection import DROPPED, QUEUED, SENT, Written
from realtime_wall.wire.not_for_forks import not_for_forks
from realtime_wall.wire.send_ring import SendRing
from realtime_wall.wire.time_slice import SLICE, TimeSlice

log = logging.getLogger(__name__)

# Publishers that are this many messages ahead of the deliveries wait.
BACKLOG = 1000
# Messages for one audience are joined up to this size; beyond, copying costs more than a call.
BATCH = 32 * 1024


class Delivery:
    """One message on its way, and how many it reached."""

    __slots__ = ("audience", "counts", "done", "message", "places", "then")

    def __init__(
        self, message: Message, audience: Audience | None, then: Callable[[Delivery], None] | None
    ) -> None:
        self.message = message
        self.audience = audience
        self.places = () if audience is None else audience.queued()
        self.counts = [0, 0, 0]  # by Written
        self.then = then
        self.done = Event()


class FanOut:
    def __init__(self, with_ring: bool = False) -> None:
        """``with_ring``: many clients are sent to with one system call, if the kernel lets us."""
        self._with_ring = with_ring
        self._ring: SendRing | None = None
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

    def start(self) -> None:
        if self._with_ring:
            try:
                self._ring = not_for_forks(SendRing())
            except OSError as problem:
                log.debug("clients are sent to one by one: %s", problem)
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
        self._close_ring()

    def _close_ring(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()

    def push(
        self,
        message: Message,
        audience: Audience | None,
        then: Callable[[Delivery], None] | None = None,
    ) -> Delivery:
        """Queue a message for those who are subscribed now. Does not wait.

        ``then`` is called when it was delivered; it must not wait either.
        """
        delivery = Delivery(message, audience, then)
        self._queue.append(delivery)
        self._work.set()
        if len(self._queue) >= BACKLOG:
            self._room.clear()
        return delivery

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
            self._room.set()

    def _is_done(self, delivery: Delivery) -> None:
        if delivery.audience is not None:
            delivery.audience.delivered()
        delivery.done.set()
        if delivery.then is not None:
            try:
                delivery.then(delivery)
            except Exception:
                log.exception("what follows a delivery failed")

    def _next_batch(self) -> list[Delivery]:
        batch = [self._queue.popleft()]
        size = batch[0].message.size
        while self._queue and self._queue[0].places == batch[0].places:
            if _leaves_alone(batch[0].message) or _leaves_alone(self._queue[0].message):
                break
            size += self._queue[0].message.size
            if size > BATCH:
                break
            batch.append(self._queue.popleft())
        return batch

    def _deliver(self, batch: list[Delivery]) -> None:
        first, encoded = batch[0], Encoded([delivery.message for delivery in batch])
        for delivery in batch:
            delivery.counts = first.counts
        if first.message.exclude is not None:
            for socket in connected_sockets.known_as(first.message.exclude):
                session_of(socket).transport.leave_lanes()
        deliver_to, give_turns = partial(self._deliver_to, encoded), self._time_slice.yield_if_due
        self._time_slice.restart()
        for lane, end in first.places:
            # None of those who only listen is to hear it, ready or not.
            ask_all = first.message.is_volatile and not lane.is_of_sockets
            try:
                counts = lane.deliver(encoded, end, deliver_to, give_turns, ask_all, self._ring)
            except Exception:  # it cannot be encoded for this kind of client
                log.exception("a message could not be delivered to one kind of client")
                counts = [len(lane), 0, 0]
            first.counts[:] = map(add, first.counts, counts)
        if self._ring is not None and not self._ring.is_open:
            log.warning("the kernel has stopped sending to many clients at once: they are sent to one by one")
            self._close_ring()
        self.delivered += (first.counts[QUEUED] + first.counts[SENT]) * len(batch)
        self.dropped += first.counts[DROPPED]

    def _deliver_to(self, encoded: Encoded, subscriber: Subscriber) -> Written | None:
        """To one that has to be asked; None when it is not to hear it."""
        message = encoded.messages[0]
        try:
            if message.exclude is not None and subscriber.is_known_as(message.exclude):
                return None
            if message.is_volatile and subscriber.is_behind:
                return DROPPED
            return subscriber.deliver(encoded)
        except Exception:  # one subscriber's trouble is not its neighbours'
            log.exception("a message could not be delivered to one subscriber")
            return DROPPED


def _leaves_alone(message: Message) -> bool:
    return message.is_volatile or message.exclude is not None
