"""How a proposal is written for Redis, and how its replies and what is on its bus are read.

Nothing here is sent: arguments of scripts come out, replies and entries go in.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import count
from typing import Any

from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.brokers.entry import Entry, Proposal, Sequenced, body_of, entry_from_json, has_own_key
from realtime_wall.brokers.redis import scripts
from realtime_wall.brokers.redis.lua import Script
from realtime_wall.brokers.redis.signature import DELETION, PUBLISHED, RETRACTION, Signatures
from realtime_wall.brokers.sequencer import new_epoch
from realtime_wall.channels.idempotency import AGE
from realtime_wall.channels.message import size_of
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.errors import InvalidPosition
from realtime_wall.protocol.plain import RETRACTED

# For how long a key of ours is remembered: longer than anybody tries again.
OWN_KEY_AGE = 60

# Of an inbox: who reads nothing of it for a minute is gone.
ENVELOPES, ENVELOPES_AGE = 10_000, 60

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class PendingScriptCall:
    """A proposal as a script's arguments, but for the first: what is known when it is sent."""

    script: Script
    arguments: tuple[Any, ...]


class MalformedEntry(ValueError):
    """On the bus or in an inbox, and not of ours."""


class HighWaterMark:
    """The highest position that this process knows: a Redis that knows less has lost something."""

    def __init__(self) -> None:
        self.position = Position("", 0)

    def is_at(self, position: Position) -> None:
        """Redis has it."""
        if position.epoch != self.position.epoch or position.offset > self.position.offset:
            self.position = position


def epoch_argument(position: Position) -> str:
    """The highest position that is known of this epoch, and a name for the next: where one may begin.

    Each name is used once: two epochs of the same name would be the worst of all mistakes.
    """
    return f"{position.epoch} {position.offset} {new_epoch()}"


class BusCodec:
    def __init__(
        self,
        prefix: str,
        rules: Rules,
        history_channels: int,
        bus_size: int,
        signatures: Signatures | None = None,
    ) -> None:
        self.prefix = f"{{{prefix}}}:"
        self.key = f"{self.prefix}meta"
        self.bus = f"{self.prefix}bus"
        self._rules = rules
        self._history_channels = history_channels
        self.bus_size = bus_size
        self._numbers = count(1)
        self.signatures = signatures or Signatures.of_site()

    def inbox(self, address: str) -> str:
        return f"{self.prefix}inbox:{address}"

    def look(self, position: Position, last_id: str = "") -> tuple[Any, ...]:
        """The arguments of what asks where everything stands."""
        return epoch_argument(position), self.bus_size, last_id

    # Out

    def script_call(self, proposal: Proposal, long: bool = False) -> PendingScriptCall:
        """``long``: it may be sent again much later."""
        command = proposal.command
        is_own = has_own_key(proposal)
        seconds = AGE if is_own or long else OWN_KEY_AGE
        rule = self._rules.of(command.channel)
        common = (
            self.bus_size,
            f"{rule.history_size} {rule.history_bytes} {rule.history_age} {self._history_channels}",
            proposal.key,
            f"{seconds:.0f} {proposal.origin}:{next(self._numbers)}",
            command.channel,
        )
        if isinstance(command, Publish):
            size = size_of(command.data_json, command.binary)
            body = body_of(command)
            if command.volatile:
                body.pop("i", None)  # nobody finds it by its id
            entry = self._signed(PUBLISHED, body, proposal) + "}"
            return PendingScriptCall(scripts.PUBLISH, (*common, size, entry, "v" if command.volatile else ""))
        if isinstance(command, Delete):
            gone = {"gone": command.channel, "notice": command.notice}
            return PendingScriptCall(scripts.DELETE, (*common, self._signed(DELETION, gone, proposal) + "}"))
        return PendingScriptCall(scripts.RETRACT, (*common, *self._retract(command, proposal)))

    def _retract(self, command: Retract, proposal: Proposal) -> tuple[Any, ...]:
        try:
            position = Position.parse(command.message_ref)
            place = f"{position.epoch} {position.offset}"
        except InvalidPosition:
            place = ""
        signed = self._signed(RETRACTION, {"c": command.channel, "e": RETRACTED}, proposal)
        ref = _json(command.message_ref)
        return f'"i":{ref},', ref, place, size_of("", None), signed + ',"d":'

    def _signed(self, kind: str, body: dict[str, Any], proposal: Proposal) -> str:
        """What follows the head of an entry, but for its end."""
        return self.signatures.closed(kind, _json(_behind_head(body, proposal))[1:-1])

    # In

    @staticmethod
    def sequenced(reply: Any) -> Sequenced:
        epoch, offset, is_new = reply
        if epoch is None:
            return Sequenced(None)
        return Sequenced(Position(epoch.decode(), int(offset)), is_new=bool(is_new))

    def entry_of(self, text: bytes) -> tuple[str, Entry | None]:
        """The epoch of what is on the bus, and the entry; none where an epoch begins. Else MalformedEntry."""
        try:
            body = self.signatures.read_entry(text)
            epoch: str = body["ep"]
            return epoch, None if "begins" in body else _entry_of(body, epoch)
        except (ValueError, KeyError, TypeError, RecursionError) as problem:
            raise MalformedEntry(str(problem)[:100]) from None

    def kept_entry(self, text: bytes, epoch: str) -> Entry:
        """What is kept of a channel; in this epoch, whichever it is of."""
        try:
            return _entry_of(self.signatures.read_entry(text), epoch)
        except (ValueError, KeyError, TypeError, RecursionError) as problem:
            raise MalformedEntry(str(problem)[:100]) from None


def _entry_of(body: dict[str, Any], epoch: str) -> Entry:
    _check(body)
    return entry_from_json(body, epoch)


def _check(body: dict[str, Any]) -> None:
    """TypeError for what could not be an entry, though it has all that one has."""
    texts = (body["gone"], body["notice"]) if "gone" in body else (body["c"], body["d"])
    if not all(isinstance(text, str) for text in (*texts, body["k"], body["from"], body.get("tp", ""))):
        raise TypeError("a field of the wrong type")


def fields_of(flat: Any) -> dict[bytes, bytes]:
    """The fields of a stream's entry, from the flat list that they come in."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _behind_head(body: dict[str, Any], proposal: Proposal) -> dict[str, Any]:
    """What follows the head of an entry; an event id comes first, where scripts look for it."""
    first = {"i": body["i"]} if "i" in body else {}
    last: dict[str, Any] = {"k": proposal.key, "from": proposal.origin}
    if proposal.counted:
        last["count"] = 1
    if proposal.trace is not None:
        last["tp"] = proposal.trace
    return {**first, **body, **last}


# How Redis refuses when it takes nothing at the moment: soon over, or as soon as somebody has mended it.
# redis-py makes a class of some of these words, and takes them out of the sentence.
_SOON = re.compile(r"BUSY|Busy|LOADING|TRYAGAIN|(MASTER|CLUSTER)DOWN|TryAgain|(Master|Cluster)Down")
_SOME_DAY = re.compile(r"OOM|MISCONF|READONLY|NOREPLICAS|NOPERM|OutOfMemory|ReadOnly|NoPermission")


def will_pass(refusal: Exception, is_patient: bool) -> bool:
    """Whether it makes sense to send it again."""
    reason = reason_of(refusal)
    return bool(_SOON.search(reason) or (is_patient and _SOME_DAY.search(reason)))


def reason_of(refusal: Exception) -> str:
    return f"{type(refusal).__name__}: {refusal}"[:200]
