"""The hub's end of a server in another process: see ``hub_client.py`` for what they send each other."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from time import monotonic
from typing import Any, Protocol, cast

from realtime_wall.brokers.command_json import from_json, kinds_of
from realtime_wall.brokers.commands import Delete, Publish, Retract, SequencedCommand
from realtime_wall.brokers.entry import Entry, Proposal, Sequenced, entry_to_json
from realtime_wall.brokers.link import Envelope
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.local.hub_client import Lines
from realtime_wall.brokers.local.image_json import image_to_json

log = logging.getLogger(__name__)


SEQUENCED_KINDS = kinds_of((Publish, Retract, Delete))


class LineStream(Protocol):
    def readline(self) -> bytes: ...


class HubConnection:
    def __init__(self, hub: Hub, connection: socket.socket, address: str) -> None:
        self._hub = hub
        self._lines = Lines(connection)
        self._address = address

    def serve(self, stream: LineStream) -> None:
        """Until its connection ends."""
        self._lines.start()
        try:
            self._begin()
            with contextlib.suppress(OSError):
                while line := stream.readline():
                    self._received(line)
        finally:
            self._lines.stop()
            self._hub.remove(self._address)

    def _begin(self) -> None:
        # No turn for the event loop: nothing is entered between what is kept and what is sent.
        log_ = self._hub.log
        self._lines.put({"epoch": log_.top.epoch})
        for image in log_.image(monotonic()):
            self._lines.put(image_to_json(image))
        self._lines.allow_for_snapshot()
        self._hub.add(self._address, self)

    def _received(self, line: bytes) -> None:
        number = None
        try:
            value = json.loads(line)
            number = value.get("proposal")
            if number is None:
                self._hub.send(value["to"], value["envelope"])
            else:
                self._sequenced(number, self._hub.sequence(self._proposal(value)))
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            log.warning("server %s sent what makes no sense: %s", self._address, problem)
            if number is not None:
                self._lines.put({"sequenced": number, "error": str(problem)})

    def _proposal(self, value: dict[str, Any]) -> Proposal:
        command = from_json(value["command"], SEQUENCED_KINDS, of_server=True)
        trace = value.get("trace")
        if not isinstance(trace, str | None):
            raise TypeError("a trace that is no text")
        return Proposal(
            cast("SequencedCommand", command),
            str(value["key"]),
            self._address,
            bool(value["counted"]),
            trace,
        )

    def _sequenced(self, number: int, sequenced: Sequenced) -> None:
        position = sequenced.position
        offset = None if position is None else position.offset
        self._lines.put({"sequenced": number, "offset": offset, "new": sequenced.is_new})

    # As the hub's peer

    def entry(self, entry: Entry) -> None:
        self._lines.put_line(_line_of(entry))

    def receive(self, envelope: Envelope) -> None:
        self._lines.put({"envelope": envelope})

    def servers_changed(self, servers: tuple[str, ...]) -> None:
        self._lines.put({"servers": servers})


# One entry is sent to many: the last one that was written.
_last: tuple[Entry | None, bytes] = (None, b"")


def _line_of(entry: Entry) -> bytes:
    global _last
    if _last[0] is not entry:
        _last = entry, json.dumps({"entry": entry_to_json(entry)}).encode() + b"\n"
    return _last[1]
