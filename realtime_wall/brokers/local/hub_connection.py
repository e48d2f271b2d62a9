"""The hub's end of a server in another process: see ``member_link.py`` for what they say to each other."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from time import monotonic
from typing import Any, Protocol

from realtime_wall.brokers.commands import Delete, Publish, Retract, from_json
from realtime_wall.brokers.entry import Entry, Proposal, Sequenced, entry_to_json, message_to_json
from realtime_wall.brokers.link import Note
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.local.hub_client import Lines
from realtime_wall.channels.history import ChannelImage

log = logging.getLogger(__name__)


class Stream(Protocol):
    def readline(self) -> bytes: ...


class HubMember:
    def __init__(self, hub: Hub, connection: socket.socket, address: str) -> None:
        self._hub = hub
        self._lines = Lines(connection)
        self._address = address

    def serve(self, stream: Stream) -> None:
        """Until its connection ends."""
        self._lines.start()
        try:
            self._begin()
            with contextlib.suppress(OSError):
                while line := stream.readline():
                    self._heard(line)
        finally:
            self._lines.stop()
            self._hub.remove(self._address)

    def _begin(self) -> None:
        # No turn for the event loop: nothing is entered between what is kept and what is told.
        log_ = self._hub.log
        self._lines.put({"epoch": log_.top.epoch})
        for one in log_.image(monotonic()):
            if isinstance(one, ChannelImage):
                self._lines.put(_channel_to_json(one))
            else:
                self._lines.put({"top": one.top.offset, "lost": one.lost, "number": one.number})
        self._lines.allow_for_what_waits()
        self._hub.add(self._address, self)

    def _heard(self, line: bytes) -> None:
        number = None
        try:
            said = json.loads(line)
            number = said.get("proposal")
            self._said(said)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            log.warning("server %s said what makes no sense: %s", self._address, problem)
            if number is not None:
                self._lines.put({"sequenced": number, "error": str(problem)})

    def _said(self, line: dict[str, Any]) -> None:
        if "proposal" in line:
            what = from_json(line["what"], of_server=True)
            if not isinstance(what, (Publish, Retract, Delete)):
                raise ValueError("a draft is something to be published, retracted or deleted")
            proposal = Proposal(what, str(line["key"]), self._address, bool(line["count"]))
            self._sequenced(line["proposal"], self._hub.sequence(proposal))
        else:
            self._hub.tell(line["to"], line["note"])

    def _sequenced(self, number: int, sequenced: Sequenced) -> None:
        position = sequenced.position
        offset = None if position is None else position.offset
        self._lines.put({"sequenced": number, "offset": offset, "new": sequenced.is_new})

    # As a guest

    def entry(self, entry: Entry) -> None:
        self._lines.put_line(_line_of(entry))

    def note(self, note: Note) -> None:
        self._lines.put({"note": note})

    def servers_are(self, servers: tuple[str, ...]) -> None:
        self._lines.put({"servers": servers})


# One entry is told to many: the last one that was written.
_last: tuple[Entry | None, bytes] = (None, b"")


def _line_of(entry: Entry) -> bytes:
    global _last
    if _last[0] is not entry:
        _last = entry, json.dumps({"entry": entry_to_json(entry)}).encode() + b"\n"
    return _last[1]


def _channel_to_json(image: ChannelImage) -> dict[str, Any]:
    return {
        "channel": image.channel,
        "lost": image.lost,
        "last": image.last,
        "number": image.number,
        "published": image.published,
        "messages": list(map(message_to_json, image.messages)),
    }
