"""The one order of everything on a machine: which place does a proposal get, and what is entered there?

This is done by one process: a server that is alone, the first of several, or the supervisor of the workers.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

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


# Called with a message or a deletion before it is entered, and with its publisher's idempotency key.
Write = Callable[[Message | Deleted, str | None], None]


def keep(log: Log, message: Message, now: float) -> None:
    """Enter a message into a log; what it takes back leaves."""
    if message.retracts is not None:
        log.retract(message.channel, message.retracts, now)
    log.add(message, now)


class Sequencer:
    def __init__(
        self,
        rules: Rules,
        history_channels: int,
        log: Log | None = None,
        write: Write = lambda item, key: None,
    ) -> None:
        """``write`` is called with what is about to be entered, which its PublishFailed prevents."""
        self.log = log or Log(new_epoch(), rules.of, history_channels=history_channels)
        self.answered: IdempotencyKeys[Position] = IdempotencyKeys()
        self._write = write
        self._by_type: dict[type, Callable[[Proposal, Any], tuple[Sequenced, Entry | None]]] = {
            Publish: self._publish,
            Retract: self._retract,
            Delete: self._delete,
        }

    def remember(self, keys: Mapping[str, tuple[Position, float]]) -> None:
        """What was answered before, by idempotency key, and when that was, in seconds since 1970."""
        for key, (position, when) in sorted(keys.items(), key=lambda one: one[1][1]):
            self.answered.put(key, position, monotonic() - (time.time() - when))

    def sequence(self, proposal: Proposal) -> tuple[Sequenced, Entry | None]:
        return self._by_type[type(proposal.command)](proposal, proposal.command)

    def _publish(self, proposal: Proposal, command: Publish) -> tuple[Sequenced, Entry | None]:
        own_key = proposal.key if has_own_key(proposal) else None
        known = None if own_key is None else self.answered.get(own_key, monotonic())
        if known is not None:
            return Sequenced(known, is_new=False), None
        message = self._volatile(command) if command.volatile else self._logged(command, own_key)
        if own_key is not None:
            self.answered.put(own_key, message.position, monotonic())
        return _entered(proposal, message)

    def _logged(self, command: Publish, own_key: str | None) -> Message:
        now = monotonic()
        message = self.log.next_message(
            command.channel,
            command.data_json,
            event=command.event,
            event_id=command.event_id,
            exclude=command.exclude,
            arity=command.arity,
            binary=command.binary,
            now=now,
            time=time.time(),
        )
        self._write(message, own_key)
        self.log.add(message, now)
        return message

    def _volatile(self, command: Publish) -> Message:
        """A message that is not logged."""
        return Message(
            command.channel,
            command.data_json,
            self.log.top,
            number=0,
            time=time.time(),
            event=command.event,
            exclude=command.exclude,
            arity=command.arity,
            binary=command.binary,
            is_volatile=True,
        )

    def _retract(self, proposal: Proposal, command: Retract) -> tuple[Sequenced, Entry | None]:
        now = monotonic()
        found = retraction.find(self.log, command.channel, command.message_ref, now)
        if found is None:
            return Sequenced(None), None
        message = self.log.next_message(
            command.channel,
            found.data_json,
            event=RETRACTED,
            retracts=found.offset,
            now=now,
            time=time.time(),
        )
        self._write(message, None)
        keep(self.log, message, now)
        return _entered(proposal, message)

    def _delete(self, proposal: Proposal, command: Delete) -> tuple[Sequenced, Entry | None]:
        top = self.log.top
        deleted = Deleted(command.channel, command.notice, top)
        self._write(deleted, None)
        self.log.delete(command.channel)  # somebody may be on it of which nothing is kept
        return Sequenced(top), _entry(proposal, deleted)


def _entered(proposal: Proposal, message: Message) -> tuple[Sequenced, Entry]:
    return Sequenced(message.position), _entry(proposal, message)


def _entry(proposal: Proposal, item: Message | Deleted) -> Entry:
    return Entry(item, proposal.key, proposal.origin, proposal.counted, proposal.trace)
