"""Cuts a stream of bytes into lines, whatever the chunks it comes in.

An empty line is X's keep-alive. A line that is longer than the limit is thrown away as it comes, so
that a stream without an end of line costs no memory.
"""

from __future__ import annotations

LINE_SIZE = 2 * 1024 * 1024


class LineReader:
    def __init__(self, limit: int = LINE_SIZE) -> None:
        self.limit = limit
        self.overlong = 0
        self._parts: list[bytes] = []
        self._size = 0

    def receive(self, data: bytes) -> list[bytes]:
        """The lines that this data ends, without their line ends; X ends them with CR LF."""
        *ended, rest = data.split(b"\n")
        lines = []
        for part in ended:
            self._keep(part)
            if self._size > self.limit:
                self.overlong += 1
            else:
                lines.append(b"".join(self._parts).removesuffix(b"\r"))
            self._parts, self._size = [], 0
        self._keep(rest)
        return lines

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self.limit:
            self._parts.append(part)
        else:
            self._parts = []
