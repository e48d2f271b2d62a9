"""What does the log on disk remember, whose server has ended, or was killed?

All that its process has written is there, as long as the machine has run on. When the machine has ended
meanwhile, or a file is damaged, something may be missing that clients have had: the epoch ends then, and they
are told of a gap.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from realtime_wall.brokers.entry import message_from_json
from realtime_wall.brokers.local.image_json import image_from_json
from realtime_wall.brokers.local.segment import RAW, Record, SegmentReader
from realtime_wall.brokers.sequencer import keep, new_epoch
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules

logger = logging.getLogger(__name__)

# The last record of a server that has stopped in good order.
END = "end"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class RestoredLog:
    """Its clock is that of messages: seconds since 1970."""

    log: Log
    # What a publisher may try again: its key, where it is, and when that was.
    keys: dict[str, tuple[Position, float]] = field(default_factory=dict)


def boot_id() -> str:
    """Another one after each start of the machine; empty where nobody knows."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("[0-9]*.log"))


def restore(directory: Path, rules: Rules, history_channels: int) -> RestoredLog | None:
    """None when nothing is there. Raises OSError."""
    replay = _Replay(lambda epoch: Log(epoch, rules.of, history_channels=history_channels))
    for path in segments(directory):
        if replay.is_broken_off:
            break
        replay.read(path)
    if replay.restored is None:
        return None
    log = replay.restored.log
    if not replay.is_whole:
        log.renew(new_epoch(), time.time())
        # Those of before mean nothing now.
        replay.restored.keys.clear()
    log.expire(time.time())
    return replay.restored


class _Replay:
    def __init__(self, new_log: Callable[[str], Log]) -> None:
        self.restored: RestoredLog | None = None
        self.is_broken_off = False
        self._new_log = new_log
        self._has_ended = False
        self._boot = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing can be missing that was written."""
        is_same_boot = bool(self._boot) and self._boot == boot_id()
        return not self.is_broken_off and (self._has_ended or is_same_boot)

    def read(self, path: Path) -> None:
        reader = SegmentReader(path)
        try:
            for record in reader:
                self._apply(record)
        except (AttributeError, KeyError, TypeError, ValueError):
            reader.is_damaged = True
        if reader.is_damaged:
            logger.error("%s is damaged behind byte %s: what follows is lost", path, reader.size)
            self.is_broken_off = True

    def _apply(self, record: Record) -> None:
        self._has_ended = END in record
        if self._has_ended:
            return
        if "epoch" in record:
            self._begin(record)
            return
        assert self.restored is not None
        log, epoch = self.restored.log, self.restored.log.top.epoch
        if "m" in record:
            record["m"]["d"] = record[RAW]
            self._message(self.restored, message_from_json(record["m"], epoch), record.get("k"))
        elif "gone" in record:
            log.delete(record["gone"])
        elif "key" in record:
            self.restored.keys[record["key"]] = Position(epoch, record["o"]), record["t"]
        else:
            image = image_from_json(record, epoch)
            if isinstance(image, ChannelImage):
                now = time.time()
                log.restore_channel(image, lambda message: now - message.time, now)
            else:
                log.restore_own(image)

    def _begin(self, record: Record) -> None:
        self._boot = record["boot"]
        if self.restored is None:
            self.restored = RestoredLog(self._new_log(record["epoch"]))
        elif self.restored.log.top.epoch != record["epoch"]:
            self.restored.log.renew(record["epoch"], record["began"])
        self.restored.log.began = record["began"]

    def _message(self, restored: RestoredLog, message: Message, own_key: str | None) -> None:
        keep(restored.log, message, message.time)
        if own_key is not None:
            restored.keys[own_key] = message.position, message.time
