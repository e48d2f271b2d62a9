"""Messages from server to server, on a topic that no client can name.

They are for who runs now: nothing is kept, and whoever joins later misses them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import proposal
from realtime_wall.channels.names import BETWEEN_SERVERS
from realtime_wall.node.fan_out.subscriber import Encoded, ListensOnly
from realtime_wall.node.node import Node
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.wire.connection import QUEUED, Written

log = logging.getLogger(__name__)

Receive = Callable[[str | None, Any, str], object]


class ServerTopic(ListensOnly):
    is_behind = False  # a subscriber that is sent what is volatile

    def __init__(self, node: Node, name: str, receive: Receive) -> None:
        """``receive(event, data, server)`` gets what any server sends, this one too; it must not wait."""
        self.channel = f"{BETWEEN_SERVERS}{name}"
        self._node = node
        self._receive = receive
        node.subscriptions.add(self.channel, self)

    @property
    def server(self) -> str:
        """The address of this one."""
        return self._node.address

    def servers(self) -> tuple[str, ...]:
        """The addresses of those that are alive."""
        return self._node.servers()

    def send(self, event: str, data: Any) -> None:
        """To all servers; PublishFailed when that cannot be done now."""
        text = encode_json({"from": self.server, "data": data})
        command = Publish(channel=self.channel, data_json=text, event=event, counted=False, volatile=True)
        # Not limited as what others publish is: it is of our own making.
        self._node.broker.link.sequence(proposal(command, self.server))

    def close(self) -> None:
        self._node.subscriptions.remove(self.channel, self)

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        for message in encoded.messages:
            try:
                value = json.loads(message.data_json)
                self._receive(message.event, value["data"], str(value["from"]))
            except Exception as problem:  # of another version, maybe: the next one may do
                log.warning("a message between the servers on %s makes no sense: %r", self.channel, problem)
        return QUEUED

    def deleted(self, *_: object) -> None:
        """Nobody can delete it."""
