"""The one order of everything on a machine: which place does a draft get, and what is entered there?

This is done by one process: a server that is alone, the first of several, or the supervisor of the workers.
"""

from __future__ import annotations

import secrets
import time
from time import monotonic

from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.brokers.entry import Deleted, Entry, Proposal, Sequenced, has_own_key
from realtime_wall.channels import retraction
from realtime_wall.channels.idempotency import IdempotencyKeys
from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.protocol.plain import RETRACTED


def new_epoch() -> str:
    """New for each start: positions of an earlier one are never mistaken for ours."""
    return secrets.token_urlsafe(6).replace("-", "_")


class Sequencer:
    def __init__(self, rules: Rules, history_channels: int, log: Log | None = None) -> None:
        self.log = log or Log(new_epoch(), rules.of, history_channels=history_channels)
        self._answered: IdempotencyKeys[Position] = IdempotencyKeys()

    def sequence(self, proposal: Proposal) -> tuple[Sequenced, Entry | None]:
        what = proposal.what
        if isinstance(what, Retract):
            return self._retract(proposal, what)
        if isinstance(what, Delete):
            return self._delete(proposal, what)
        return self._publish(proposal, what)

    def _publish(self, proposal: Proposal, what: Publish) -> tuple[Sequenced, Entry | None]:
        own_key = proposal.key if has_own_key(proposal) else None
        known = None if own_key is None else self._answered.get(own_key, monotonic())
        if known is not None:
            return Sequenced(known, is_new=False), None
        message = self._passing(what) if what.volatile else self._logged(what)
        if own_key is not None:
            self._answered.put(own_key, message.position, monotonic())
        return _entered(proposal, message)

    def _logged(self, what: Publish) -> Message:
        return self.log.append(
            what.channel,
            what.data_json,
            event=what.event,
            event_id=what.event_id,
            exclude=what.exclude,
            arity=what.arity,
            binary=what.binary,
            now=monotonic(),
            time=time.time(),
        )

    def _passing(self, what: Publish) -> Message:
        """A message that is not logged."""
        return Message(
            what.channel,
            what.data_json,
            self.log.top,
            number=0,
            time=time.time(),
            event=what.event,
            exclude=what.exclude,
            arity=what.arity,
            binary=what.binary,
            is_volatile=True,
        )

    def _retract(self, proposal: Proposal, what: Retract) -> tuple[Sequenced, Entry | None]:
        now = monotonic()
        taken = retraction.take_out(self.log, what.channel, what.which, now)
        if taken is None:
            return Sequenced(None), None
        message = self.log.append(
            what.channel,
            taken.data_json,
            event=RETRACTED,
            retracts=taken.offset,
            now=now,
            time=time.time(),
        )
        return _entered(proposal, message)

    def _delete(self, proposal: Proposal, what: Delete) -> tuple[Sequenced, Entry | None]:
        self.log.delete(what.channel)  # somebody may be on it of which nothing is kept
        top = self.log.top
        return Sequenced(top), Entry(
            Deleted(what.channel, what.farewell, top), proposal.key, proposal.origin, proposal.counted
        )


def _entered(proposal: Proposal, message: Message) -> tuple[Sequenced, Entry]:
    return Sequenced(message.position), Entry(message, proposal.key, proposal.origin, proposal.counted)
