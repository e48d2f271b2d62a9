"""A file of records that grows at its end: what of it is whole, after its process was killed at any byte?

A record is a line: eight hexadecimal digits, a space and a JSON object, of which they are the CRC-32. What
is no such line, and all that follows it, does not count. A text that is JSON itself may stand behind the
object and a tab, as it is, and is its member ``RAW``: to write JSON as a string costs more than all the rest.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

Record = dict[str, Any]

RAW = "raw"

encode = json.JSONEncoder(separators=(",", ":")).encode


class Segment:
    """A file to write to. What ``append`` has taken outlives the process, but not a machine that loses power.

    Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = 0
        self._is_torn = False

    def append(self, head: str, raw: str | None = None) -> None:
        """Write a record, its object as JSON: whole when this returns, nothing of it when it raises."""
        if self._is_torn:
            os.ftruncate(self._file, self.size)
            self._is_torn = False
        text = (head if raw is None else f"{head}\t{raw}").encode()
        line = b"%08x %b\n" % (crc32(text), text)
        self._is_torn = True  # until all of it is there
        if os.write(self._file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._is_torn = False
        self.size += len(line)

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


class SegmentReader:
    """The records of a file; afterwards, how much of it was whole, and whether more had been."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = 0
        self.is_damaged = False

    def __iter__(self) -> Iterator[Record]:
        with self._path.open("rb") as file:
            for line in file:
                record = _record(line)
                if record is None:
                    # The last one may be torn: it was not confirmed. Nobody tears another one.
                    self.is_damaged = bool(file.read(1))
                    return
                self.size += len(line)
                yield record


def _record(line: bytes) -> Record | None:
    text = line[9:-1]
    if not line.endswith(b"\n") or line[:9] != b"%08x " % crc32(text):
        return None
    try:
        head, tab, raw = text.decode().partition("\t")
        record = json.loads(head)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if tab:
        record[RAW] = raw
    return record
