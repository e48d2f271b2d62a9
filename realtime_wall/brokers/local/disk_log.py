"""What outlives the process of a hub: the log, on disk (``LOG_DIR``).

Whatever gets a place in the order is written before anybody is told of it: after a crash nobody has had a
position that the log does not have, and nothing that was confirmed is missing. It goes to a file that grows,
a segment. When that has become much longer than what it stands for, a new one is begun, which is given what
the log has by now, some at a time, between the entries that come in meanwhile; then the old ones are deleted.
Read in their order, segments give the log at every moment of this (``restored_log.py``).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import time
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

import gevent

from realtime_wall.brokers.entry import Deleted, message_to_json
from realtime_wall.brokers.local.image_json import image_to_json
from realtime_wall.brokers.local.restored_log import END, RestoredLog, boot_id, restore, segments
from realtime_wall.brokers.local.segment import Segment, encode
from realtime_wall.channels.idempotency import IdempotencyKeys
from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.errors import LogUnusable, PublishFailed
from realtime_wall.wire.time_slice import TimeSlice

logger = logging.getLogger(__name__)

# A segment is replaced when it has so many bytes, and more than twice what the log took when it was begun.
COMPACT_SIZE = 32 * 1024 * 1024


class DiskLog:
    def __init__(self, directory: str, rules: Rules, history_channels: int) -> None:
        """LogUnusable when it cannot be written to, or is another server's."""
        self._directory = Path(directory)
        self._rules, self._history_channels = rules, history_channels
        self._lock = _lock(self._directory)
        self._segment: Segment
        self._older: list[Path] = []
        self._compaction: gevent.Greenlet[..., Any] | None = None
        self._is_failing = False

    def restore(self) -> RestoredLog | None:
        """What an earlier server has left; None when there was none."""
        try:
            return restore(self._directory, self._rules, self._history_channels)
        except OSError as problem:
            raise LogUnusable(self._directory, f"cannot be read: {problem.strerror}") from problem

    def start(self, log: Log, answered: IdempotencyKeys[Position]) -> None:
        """Keep this log from now on, and the keys of what it was given."""
        self._log, self._answered = log, answered
        try:
            self._begin_segment()
        except OSError as problem:
            raise LogUnusable(self._directory, f"cannot be written to: {problem.strerror}") from problem

    def write(self, item: Message | Deleted, own_key: str | None) -> None:
        """Confirm that it is on disk, or raise PublishFailed: then nothing of it is."""
        if isinstance(item, Message):
            # A line is a record; between values of JSON a space is as good.
            head, raw = _head(item, own_key), item.data_json.replace("\n", " ")
        else:
            head, raw = encode({"gone": item.channel, "o": item.position.offset}), None
        try:
            self._segment.append(head, raw)
        except OSError as problem:
            self._failed(problem)
            raise PublishFailed(f"LOG_DIR {self._directory}: {problem.strerror}") from problem
        if self._is_failing:
            self._is_failing = False
            logger.warning("LOG_DIR %s takes messages again", self._directory)
        if self._segment.size > self._compact_at and not self._compaction:
            self._compact()

    def stop(self) -> None:
        """Nothing is written any more; whatever happens to the machine, it is whole."""
        if self._compaction is not None:
            self._compaction.kill()
        try:
            self._segment.append(encode({END: True}))
            self._segment.sync()
        except OSError as problem:
            self._failed(problem)
        self._segment.close()
        os.close(self._lock)

    def _failed(self, problem: OSError) -> None:
        if not self._is_failing:  # one line, however many are refused
            logger.error("LOG_DIR %s takes no messages: %s", self._directory, problem.strerror)
        self._is_failing = True

    # A new segment

    def _compact(self) -> None:
        previous = self._segment
        try:
            self._begin_segment()
        except OSError as problem:  # the old one goes on
            self._failed(problem)
            self._segment = previous
            self._compact_at = previous.size + COMPACT_SIZE
        else:
            previous.close()

    def _begin_segment(self) -> None:
        self._older = segments(self._directory)
        number = int(self._older[-1].stem) + 1 if self._older else 1
        segment = Segment(self._directory / f"{number:012}.log")
        header = {"epoch": self._log.top.epoch, "began": self._log.began, "boot": boot_id()}
        segment.append(encode(header))
        self._segment, self._compact_at = segment, COMPACT_SIZE
        self._compaction = gevent.spawn(self._copy_log)

    def _copy_log(self) -> None:
        """Write what the log has, with turns for everybody else, and delete what stood for it until now."""
        turns = TimeSlice()
        try:
            for channel in list(self._log.channels()):
                image = self._log.channel_image(channel)
                if image is not None:
                    self._segment.append(encode(image_to_json(image)))
                turns.yield_if_due()
            self._copy_keys()
            self._segment.append(encode(image_to_json(self._log.own_image())))
            for path in self._older:
                path.unlink()
        except OSError as problem:  # nothing is lost: the older ones stay
            self._failed(problem)
        self._compact_at = self._segment.size + max(COMPACT_SIZE, self._segment.size)
        self._compaction = None

    def _copy_keys(self) -> None:
        age = time.time() - monotonic()
        for key, when, position in self._answered.items():
            self._segment.append(encode({"key": key, "o": position.offset, "t": when + age}))


# Of channels and events: the same come again and again.
_name_json = lru_cache(maxsize=1024)(json.dumps)


def _head(message: Message, own_key: str | None) -> str:
    """A message without its data, which stands behind it."""
    optional = (message.event_id, message.exclude, message.retracts, message.binary, own_key)
    if message.arity != 1 or any(one is not None for one in optional):
        body = message_to_json(message)
        del body["d"]
        return encode({"m": body} if own_key is None else {"m": body, "k": own_key})
    # Most are no more than this, and to write it by hand takes a third of the time.
    event = "" if message.event is None else f',"e":{_name_json(message.event)}'
    place = f'"o":{message.position.offset},"n":{message.number},"t":{message.time!r}'
    return f'{{"m":{{"c":{_name_json(message.channel)},{place}{event}}}}}'


def open_disk_log(config: Config, rules: Rules) -> DiskLog | None:
    """None when there is to be none. LogUnusable."""
    return DiskLog(config.log_dir, rules, config.history_channels) if config.log_dir else None


def _lock(directory: Path) -> int:
    try:
        with contextlib.suppress(FileExistsError):
            directory.mkdir(0o700)
        found = directory.stat()
        if found.st_uid not in (os.getuid(), 0) or found.st_mode & 0o022:
            raise LogUnusable(directory, "could be written by another user")
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise LogUnusable(directory, f"cannot be used: {problem.strerror}") from problem
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(lock)
        raise LogUnusable(directory, "is in use by another server") from problem
    return lock
