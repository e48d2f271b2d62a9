"""Everything that was entered comes in here, in order, and so do the envelopes that are for this server.

One greenlet waits for both. Each time it comes back to Redis, and each time that nothing came for a while,
it asks whether the last entry that it has read is still there: else this is another Redis, or one with older
data. On the way it counts: an entry that is missing is noticed by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from redis.connection import ConnectionPool
from redis.exceptions import RedisError

from realtime_wall.brokers.link import Envelope, Member
from realtime_wall.brokers.redis import scripts as scripts
from realtime_wall.brokers.redis.bus_codec import (
    BusCodec,
    HighWaterMark,
    MalformedEntry,
    epoch_argument,
    fields_of,
)
from realtime_wall.brokers.redis.outage import Outage
from realtime_wall.brokers.redis.script_connection import ScriptConnection
from realtime_wall.brokers.redis.snapshot import BusState, EpochChanged, load, look
from realtime_wall.brokers.waiting import must_not_wait
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules

log = logging.getLogger(__name__)

# How long Redis waits for something new before it answers that there is nothing.
BLOCK = 2.0
MOST_ENTRIES = 500
# About so many bytes are read at once.
BATCH_BYTES = 4 * 1024 * 1024
HEAD = 200


class _Elsewhere(Exception):
    """What follows the last entry can no longer be read, or is of another epoch."""


class BusReader:
    def __init__(
        self,
        pool: ConnectionPool,
        codec: BusCodec,
        rules: Rules,
        history_channels: int,
        high_water_mark: HighWaterMark,
        address: str,
        member: Member,
        receive: Callable[[Envelope], None],
        name: str,
    ) -> None:
        self._pool, self._codec, self._rules = pool, codec, rules
        self._history_channels = history_channels
        self._high_water_mark, self._member, self._receive = high_water_mark, member, receive
        self._address, self._inbox = address, codec.inbox(address)
        self._outage = Outage(f"reading from {name}")
        self._is_stopping = False
        self._try_again = Event()
        self._joined: AsyncResult[None] = AsyncResult()
        self._greenlet: gevent.Greenlet[..., Any] | None = None
        self._last_id = ""  # on the bus
        # The last entry of ours that was read: what is malformed may have come since.
        self._epoch = ""
        self._count = 0
        self._entry_id = ""
        self._entry_head = b""
        self._malformed = 0  # entries since then: each of them may have been counted by Redis
        self.last_envelope = "0-0"
        self._at_once = 100
        self.rejected = 0  # what was none of ours

    def start(self, timeout: float) -> None:
        """Back when the member has begun."""
        self._greenlet = gevent.spawn(self._run)
        try:
            self._joined.get(timeout=timeout)
        except gevent.Timeout:
            self.stop()
            raise TimeoutError(self._outage.reason or "it does not answer") from None

    def stop(self) -> None:
        self._is_stopping = True
        if self._greenlet is not None:
            self._greenlet.kill()

    def try_again(self) -> None:
        """Redis is said to be back."""
        self._try_again.set()

    # The greenlet

    def _run(self) -> None:
        must_not_wait()  # for what only this greenlet reads
        while not self._is_stopping:
            connection = ScriptConnection(self._pool, self._codec.key)
            try:
                connection.connect()
                self._come_back(connection)
                self._outage.over()
                self._joined.set(None)
                self._follow(connection)
            except (RedisError, OSError, EpochChanged) as problem:
                self._pause(problem)
            except Exception as problem:
                log.exception("reading the bus failed")
                self._pause(problem)
            finally:
                connection.close()

    def _pause(self, problem: Exception) -> None:
        self._try_again.clear()
        self._try_again.wait(self._outage.lasts(problem))

    def _come_back(self, connection: ScriptConnection) -> None:
        if not self._epoch:
            self._load(connection)
            return
        self._check_inbox(connection)
        try:
            self._verify(connection)
        except _Elsewhere as reason:
            self._load_again(connection, reason)

    def _follow(self, connection: ScriptConnection) -> None:
        while not self._is_stopping:
            try:
                if not self._read(connection):
                    self._verify(connection)
            except _Elsewhere as reason:
                self._load_again(connection, reason)

    def _read(self, connection: ScriptConnection) -> bool:
        """Take in what has come; False when nothing has."""
        (streams,) = connection.send(
            ("XREAD", "COUNT", self._at_once, "BLOCK", int(BLOCK * 1000), "STREAMS")
            + (self._codec.bus, self._inbox, self._last_id, self.last_envelope)
        )
        if isinstance(streams, RedisError):
            raise streams
        for name, found in streams or ():
            if name == self._codec.bus.encode():
                self._take_entries(connection, found)
            else:
                self._take_envelopes(found)
        return bool(streams)

    def _take_entries(self, connection: ScriptConnection, found: list[Any]) -> None:
        size = 1
        for id_, flat in found:
            self._last_id = id_.decode()
            try:
                text = fields_of(flat)[b"e"]
                epoch, entry = self._codec.entry_of(text)
            except (MalformedEntry, KeyError, ValueError) as problem:
                self._malformed += 1
                self._reject("an entry", problem)
                continue
            if epoch != self._epoch:
                if self._current_epoch(connection) != self._epoch:
                    raise _Elsewhere("another epoch has begun")
                self._malformed += 1
                self._reject("an entry", ValueError("of another epoch"))
                continue
            count = int(self._last_id.partition("-")[2])
            missing = count - self._count - 1
            if not 0 <= missing <= self._malformed:
                raise _Elsewhere(f"{missing} entries were dropped before they were read")
            self._malformed = 0
            self._count, self._entry_id, self._entry_head = count, self._last_id, text[:HEAD]
            size += len(text)
            if entry is not None:
                self._high_water_mark.is_at(entry.item.position)
                self._guarded(self._member.entry, entry)
            self._member.wait_for_room()
        self._at_once = max(1, min(MOST_ENTRIES, BATCH_BYTES * len(found) // size))

    def _take_envelopes(self, found: list[Any]) -> None:
        for id_, flat in found:
            self.last_envelope = id_.decode()
            try:
                envelope = self._codec.signatures.read_envelope(self._address, fields_of(flat)[b"n"])
            except (ValueError, KeyError, RecursionError) as problem:
                self._reject("an envelope", problem)
            else:
                self._guarded(self._receive, envelope)

    def _reject(self, kind: str, problem: Exception) -> None:
        self.rejected += 1
        if self.rejected == 1:
            log.warning("dropped %s that is none of ours: %s; the next ones are only counted", kind, problem)

    def _guarded(self, take: Callable[[Any], None], received: Any) -> None:
        try:
            take(received)
        except Exception:
            log.exception("taking in what has come from Redis failed")

    # Is it still the same?

    def _current_epoch(self, connection: ScriptConnection) -> str:
        """As Redis has it: an entry's head is not signed, and proves nothing."""
        return look(connection, self._codec, self._high_water_mark.position).position.epoch

    def _verify(self, connection: ScriptConnection) -> None:
        known = self._high_water_mark.position
        state = look(connection, self._codec, known, self._entry_id)
        if state.position.epoch != self._epoch:
            raise _Elsewhere("another epoch has begun")
        if not self._entry_head or state.last_head == self._entry_head:
            return
        if not state.last_head and _is_after(state.first_id, self._entry_id):
            raise _Elsewhere("entries were dropped before they were read")
        # Others may have gone on from data that is older than what our clients have.
        connection.ask(
            scripts.RENEW, epoch_argument(Position(self._epoch, known.offset)), self._codec.bus_size
        )
        raise _Elsewhere("it has come back with older data")

    def _load_again(self, connection: ScriptConnection, reason: _Elsewhere) -> None:
        log.warning("the clients of this server have to come back: %s", reason)
        self._check_inbox(connection)
        self._load(connection)

    def _load(self, connection: ScriptConnection) -> None:
        loaded = load(
            connection, self._codec, self._rules, self._history_channels, self._high_water_mark.position
        )
        self._member.begin(iter(loaded.image))
        self._stand_at(loaded.state)

    def _stand_at(self, state: BusState) -> None:
        self._epoch, self._count = state.position.epoch, state.count
        self._last_id = self._entry_id = state.last_id or state.id
        self._entry_head, self._malformed = state.last_head, 0
        self._high_water_mark.is_at(state.position)

    def _check_inbox(self, connection: ScriptConnection) -> None:
        """Envelopes of another Redis may have smaller ids than the last one that was read."""
        (found,) = connection.send(("XREVRANGE", self._inbox, "+", "-", "COUNT", 1))
        if not isinstance(found, list):
            raise found
        if not found or _is_after(self.last_envelope, found[0][0].decode()):
            self.last_envelope = "0-0"


def _is_after(id_: str, other: str) -> bool:
    """Whether an id of a stream is greater; the empty one, of nothing, is greater than all."""
    return not id_ or _numbers(id_) > _numbers(other)


def _numbers(id_: str) -> tuple[int, ...]:
    return tuple(map(int, id_.split("-")))
