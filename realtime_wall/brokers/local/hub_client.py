"""A server's link to a hub in another process of the machine: a Unix socket with JSON objects, one a line.

It sends ``Join`` and gets what is kept, and then every entry, envelope and result in the order of the hub.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import gevent
from gevent.event import AsyncResult, Event

from realtime_wall.brokers.command_json import to_json
from realtime_wall.brokers.entry import Proposal, Sequenced, entry_from_json
from realtime_wall.brokers.link import Envelope, Member
from realtime_wall.brokers.local.image_json import image_from_json
from realtime_wall.brokers.waiting import check_may_wait, must_not_wait
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image
from realtime_wall.channels.position import Position
from realtime_wall.errors import PublishFailed
from realtime_wall.wire.not_for_forks import not_for_forks

log = logging.getLogger(__name__)

# The hub is in a process that does little else.
TIMEOUT = 10.0
# What may wait for another process, in bytes.
LIMIT = 64 * 1024 * 1024


class HubClient:
    def __init__(self, path: Path, address: str, lost: Callable[[], None]) -> None:
        """OSError when nobody listens there. ``lost`` is called once, when the hub is gone."""
        self.address = address
        self._lost = lost
        self._socket = not_for_forks(socket.socket(socket.AF_UNIX))
        self._socket.settimeout(TIMEOUT)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._stream = self._socket.makefile("rb")
        self._lines = Lines(self._socket)
        self._open: dict[int, AsyncResult[Sequenced]] = {}
        self._numbers = count(1)
        self._servers: tuple[str, ...] = (address,)
        self._top = Position("", 0)
        self._reader: gevent.Greenlet[..., Any] | None = None

    # As a link

    def sequence(self, proposal: Proposal) -> Sequenced:
        check_may_wait()
        number = next(self._numbers)
        result: AsyncResult[Sequenced] = AsyncResult()
        self._open[number] = result
        try:
            self._lines.put(_line_of(number, proposal))
            result.wait(TIMEOUT)
            if not result.ready():
                raise PublishFailed(f"the hub did not confirm it within {TIMEOUT:.0f} s")
            return cast("Sequenced", result.get())
        finally:
            del self._open[number]

    def send(self, address: str, envelope: Envelope) -> None:
        self._lines.put({"to": address, "envelope": envelope})

    def servers(self) -> tuple[str, ...]:
        return self._servers

    def top(self) -> Position:
        return self._top

    def join(self, member: Member) -> None:
        self._lines.start()
        self._lines.put({"verb": "Join", "address": self.address})
        hello = self._read()
        if "epoch" not in hello:
            raise PublishFailed(f"the hub takes no server: {hello.get('message')}")
        self._top = Position(hello["epoch"], 0)
        self._socket.settimeout(None)
        member.begin(self._image())
        self._reader = gevent.spawn(self._run, member)

    def leave(self) -> None:
        if self._reader is not None:
            self._reader.kill()
        self._close()

    def _close(self) -> None:
        self._lines.stop()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._socket.close()
        for result in self._open.values():
            result.set_exception(PublishFailed("the hub has ended, and did not confirm it"))

    # What the hub sends

    def _read(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the hub has closed the connection")
        value = json.loads(line)
        assert isinstance(value, dict)
        return value

    def _image(self) -> Iterator[ChannelImage | Image]:
        while True:
            image = image_from_json(self._read(), self._top.epoch)
            yield image
            if isinstance(image, Image):
                self._top = image.top
                return

    def _run(self, member: Member) -> None:
        must_not_wait()  # for what only this greenlet reads
        try:
            while True:
                self._received(member, self._read())
        except (OSError, ValueError):
            pass
        except Exception:
            log.exception("a line of the hub made no sense")
        self._close()
        self._lost()

    def _received(self, member: Member, line: dict[str, Any]) -> None:
        if "entry" in line:
            entry = entry_from_json(line["entry"], self._top.epoch)
            member.wait_for_room()
            self._top = entry.item.position
            member.entry(entry)
        elif "sequenced" in line:
            result = self._open.get(line["sequenced"])
            if result is not None and "error" in line:
                result.set_exception(PublishFailed(f"the hub did not take it: {line['error']}"))
            elif result is not None:
                offset = line["offset"]
                position = None if offset is None else Position(self._top.epoch, offset)
                result.set(Sequenced(position, line["new"]))
        elif "envelope" in line:
            member.receive(line["envelope"])
        elif "servers" in line:
            before, self._servers = self._servers, tuple(line["servers"])
            for address in set(before) - set(self._servers):
                member.gone(address)


def _line_of(number: int, proposal: Proposal) -> dict[str, Any]:
    line = {
        "proposal": number,
        "key": proposal.key,
        "counted": proposal.counted,
        "command": to_json(proposal.command),
    }
    if proposal.trace is not None:  # beside the command: a hub of an older version takes it as it is
        line["trace"] = proposal.trace
    return line


class Lines:
    """What is to be written to the other end, in order; nobody waits for it but a greenlet of its own."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._limit = LIMIT
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._work = Event()
        self._greenlet: gevent.Greenlet[..., Any] | None = None
        self.is_broken = False

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self.is_broken = True
        if self._greenlet is not None and self._greenlet is not gevent.getcurrent():
            self._greenlet.kill()

    def allow_for_snapshot(self) -> None:
        """What waits now was meant to: only what comes on top of it can be too much."""
        self._limit += self._size

    def put(self, value: dict[str, Any]) -> None:
        self.put_line(json.dumps(value).encode() + b"\n")

    def put_line(self, line: bytes) -> None:
        if self.is_broken:
            return
        self._waiting.append(line)
        self._size += len(line)
        self._work.set()
        if self._size > self._limit:
            log.error("a process of this machine is too slow: it is cut off from the others")
            self._break()

    def _run(self) -> None:
        try:
            while True:
                self._work.wait()
                self._work.clear()
                lines, self._size = list(self._waiting), 0
                self._waiting.clear()
                self._connection.sendall(b"".join(lines))
        except OSError:
            self._break()

    def _break(self) -> None:
        self.is_broken = True
        self._waiting.clear()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
