"""Many messages at once, in order: what a program that keeps them until they are published needs.

A message is checked and written as JSON when it is made, and knows its position once it is in the log. So a
whole portion is simply published again after a failure: what is in the log already is left alone, and what
was taken although nobody confirmed it is not taken twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import Proposal, proposal
from realtime_wall.channels.names import check_channel, check_event_id, check_event_name
from realtime_wall.channels.position import Position
from realtime_wall.config import Config
from realtime_wall.control import control_client
from realtime_wall.node.node import Node
from realtime_wall.sockets.arguments import encode_args
from realtime_wall.typed_events import declared

# On their way together: to enter them takes the event loop a few milliseconds.
AT_ONCE = 25


class OutgoingMessage:
    """A message that is to be published: InvalidMessage or InvalidChannel for what never can be."""

    __slots__ = ("_command", "_proposal", "position")

    def __init__(
        self, channel: str, data: Any, event: str | None = None, event_id: str | None = None
    ) -> None:
        event, data = declared.event_and_data(event, data)
        arguments = encode_args((data,))
        self._command = Publish(
            channel=check_channel(channel),
            data_json=arguments.data_json,
            binary=arguments.binary,
            event=None if event is None else check_event_name(event),
            event_id=None if event_id is None else check_event_id(event_id),
            counted=False,
        )
        self._proposal: Proposal | None = None
        self.position: Position | None = None  # once it is in the log

    @property
    def event_id(self) -> str | None:
        return self._command.event_id

    def checked_by(self, node: Node) -> Publish:
        node.presence.check(self._command)
        return self._command

    def proposed_by(self, node: Node) -> Proposal:
        """The same one each time: so the servers know it again."""
        if self._proposal is None:
            self._proposal = proposal(self.checked_by(node), node.address)
        return self._proposal

    def keyed(self) -> Publish:
        """For a process that is no server."""
        if self._command.idempotency_key is None:
            self._command = replace(self._command, idempotency_key=secrets.token_urlsafe(12))
        return self._command


def publish_from_server(node: Node, messages: Sequence[OutgoingMessage]) -> None:
    """Raises what hindered the first that is not in the log; of those behind it, some may be."""
    left = iter([message for message in messages if message.position is None])
    while portion := list(islice(left, AT_ONCE)):
        outcomes = node.publisher.enter([message.proposed_by(node) for message in portion])
        for message, outcome in zip(portion, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                message.position = outcome
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome


def publish_from_outside(config: Config, messages: Sequence[OutgoingMessage]) -> None:
    for message in messages:
        if message.position is None:
            message.position = Position.parse(control_client.perform(message.keyed(), config).position)
