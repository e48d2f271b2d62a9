"""A server's way to the others through Redis: see ``docs/decisions/0014-one-bus-in-redis.rst``.

Two connections: one waits for what joined in, the other sends what is to go out.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall.brokers.entry import Proposal, Sequenced
from realtime_wall.brokers.link import Envelope, Member
from realtime_wall.brokers.node_id import new_address
from realtime_wall.brokers.redis import redis_url
from realtime_wall.brokers.redis import scripts as scripts
from realtime_wall.brokers.redis.bus_codec import ENVELOPES, ENVELOPES_AGE, BusCodec, HighWaterMark
from realtime_wall.brokers.redis.bus_reader import BLOCK, BusReader
from realtime_wall.brokers.redis.pipeline import Pipeline
from realtime_wall.brokers.redis.script_connection import ScriptCall
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.errors import BrokerUnreachable, PublishFailed
from realtime_wall.protocol.json_output import encode_json

log = logging.getLogger(__name__)

# Each heartbeat learns who is there; several may be missed.
HEARTBEAT, LEASE = 1.0, 6
# The key of an envelope that is for the link itself: the address of a server that has just joined.
JOINED = "joined"
JOIN_TIMEOUT = 10.0


class RedisLink:
    def __init__(self, config: Config, rules: Rules, address: str | None = None) -> None:
        self.address = address or new_address()
        self._codec = BusCodec(config.broker_prefix, rules, config.history_channels, config.broker_bus_size)
        self._name = redis_url.shown(config.broker)
        self._rules, self._config = rules, config
        self._high_water_mark = HighWaterMark()
        self._pipeline = Pipeline(
            redis_url.pool(config.broker, config.publish_timeout),
            self._codec.key,
            self._high_water_mark,
            config.publish_timeout,
            self._name,
        )
        self._reader: BusReader | None = None
        self._member: Member | None = None
        self._stopping = Event()
        self._heart: gevent.Greenlet[..., Any] | None = None
        self._servers: tuple[str, ...] = ()
        self._joined: set[str] = set()  # since the last heartbeat, whose reply need not have them yet

    # A server

    def join(self, member: Member) -> None:
        self._member = member
        self._pipeline.start()
        self._reader = BusReader(
            redis_url.pool(self._config.broker, BLOCK + 3.0),
            self._codec,
            self._rules,
            self._config.history_channels,
            self._high_water_mark,
            self.address,
            member,
            self._receive,
            self._name,
        )
        self._pipeline.on_well = self._reader.try_again
        try:
            self._reader.start(JOIN_TIMEOUT)
            self._beat()
            self._greet()
        except (TimeoutError, PublishFailed) as problem:
            self.leave()
            raise BrokerUnreachable(self._name, str(problem)) from problem
        self._heart = gevent.spawn(self._keep_alive)

    def _greet(self) -> None:
        """Let the others know of this server before their next heartbeats: a client may come by sooner."""
        for server in self._servers:
            if server != self.address:
                self.send(server, {JOINED: self.address})

    def _receive(self, envelope: Envelope) -> None:
        joined = envelope.get(JOINED)
        if isinstance(joined, str):
            self._joined.add(joined)
            self._servers = tuple(sorted({*self._servers, joined}))
        else:
            assert self._member is not None
            self._member.receive(envelope)

    def leave(self) -> None:
        self._stopping.set()
        if self._heart is not None:
            self._heart.kill()
            self._pipeline.send(ScriptCall(scripts.BEAT, (self.address, 0, "")))
        if self._reader is not None:
            self._reader.stop()
        self._pipeline.stop()

    @property
    def rejected(self) -> int:
        """How much has come from Redis that was none of ours."""
        return 0 if self._reader is None else self._reader.rejected

    # The link

    def sequence(self, proposal: Proposal) -> Sequenced:
        return self._sequenced(self._pipeline.run(self._codec.script_call(proposal)))

    def _sequenced(self, reply: Any) -> Sequenced:
        sequenced = self._codec.sequenced(reply)
        if sequenced.position is not None:
            self._high_water_mark.is_at(sequenced.position)
        return sequenced

    def sequence_later(self, proposal: Proposal) -> None:
        """Give it its place some day, before anything newer. PublishFailed when too many wait already."""
        self._pipeline.spool(self._codec.script_call(proposal, long=True))

    def sequence_or_spool(self, proposal: Proposal) -> Sequenced | None:
        """Give it its place now if Redis takes it in time, else some day: then None is returned."""
        call = self._codec.script_call(proposal, long=True)
        if not self._pipeline.is_behind:
            try:
                return self._sequenced(self._pipeline.run(call))
            except PublishFailed as problem:
                log.info("spooled, as %s", problem)
        self._pipeline.spool(call)  # with the same key: it may have arrived
        return None

    def send(self, address: str, envelope: Envelope) -> None:
        sealed = self._codec.signatures.sealed(address, encode_json(envelope))
        arguments = address, ENVELOPES, ENVELOPES_AGE, sealed
        self._pipeline.send(ScriptCall(scripts.SEND, arguments))

    def servers(self) -> tuple[str, ...]:
        """Those of the last heartbeat: it is asked for each message, so Redis is not."""
        return self._servers

    def top(self) -> Position | None:
        return self._high_water_mark.position if self._high_water_mark.position.epoch else None

    # The lease

    def _keep_alive(self) -> None:
        while not self._stopping.wait(HEARTBEAT):
            with contextlib.suppress(PublishFailed):  # the log has it that Redis is gone
                self._beat()

    def _beat(self) -> None:
        self._joined = set()
        last_envelope = self._reader.last_envelope if self._reader is not None else "0-0"
        self._learn(self._pipeline.run(ScriptCall(scripts.BEAT, (self.address, LEASE, last_envelope))))

    def _learn(self, reply: list[bytes]) -> None:
        before = self._servers
        self._servers = tuple(sorted({self.address, *self._joined, *(server.decode() for server in reply)}))
        for server in set(before).difference(self._servers):
            if self._member is not None:
                self._member.gone(server)
