"""Publishing on channels from outside: who may, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

from realtime_wall.auth import channel_permissions
from realtime_wall.brokers.commands import Publish
from realtime_wall.channels.wildcards import is_wildcard
from realtime_wall.errors import InvalidMessage
from realtime_wall.node.node import Node
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.views.channels import channel_request


def publisher_for_socket(
    node: Node, request: HttpRequest, channels: list[str]
) -> Callable[[str, str], str | None] | None:
    """Publishes what a WebSocket writes; None where the rule of one of its channels forbids it."""
    if any(map(is_wildcard, channels)):  # it is no channel that could be published on
        return None
    tokens = channel_request.tokens_of(request)
    for channel in channels:
        rule = node.rules.of(channel)
        if not any(
            channel_permissions.may_write_by_socket(rule, request, channel, token) for token in tokens
        ):
            return None

    def publish(channel: str, text: str) -> str | None:
        try:
            node.perform(Publish(channel=channel, data_json=encode_json(text), counted=False))
        except InvalidMessage as problem:
            return str(problem)[:100]
        return None

    return publish
