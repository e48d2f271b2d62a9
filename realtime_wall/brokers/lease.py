"""Who of all servers does something that is to be done once, such as feeding the walls?

On one machine a lease is a lock on a file among the servers' sockets. The kernel lets go of it when its
process ends, however it ends, so that it is never held by the dead and never by two. Servers of several
machines have it in Redis (``redis_lease.py``), where it ends by itself, and can be lost.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from realtime_wall.brokers.local import runtime_dir
from realtime_wall.config import Config
from realtime_wall.wire.not_for_forks import not_for_forks


class Lease(Protocol):
    on_lost: Callable[[], object]
    """Called when it is not ours any more although we did not let go of it; it must not wait."""

    @property
    def is_held(self) -> bool: ...

    def take(self) -> bool:
        """Whether it is ours now. Waits for a moment at most."""

    def release(self) -> None: ...


def lease(config: Config, name: str) -> Lease:
    """One for each name and project; where no lease can be, as the directory is not safe, an error."""
    if config.broker:
        from realtime_wall.brokers.redis.redis_lease import RedisLease

        return RedisLease(config, name)
    return FileLease(runtime_dir.create(config) / f"{name}.lock")


class FileLease:
    def __init__(self, path: Path) -> None:
        self.on_lost: Callable[[], object] = lambda: None  # never
        self._path = path
        self._file: int | None = None
        not_for_forks(self)

    def fileno(self) -> int:
        return -1 if self._file is None else self._file

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def take(self) -> bool:
        if self._file is not None:
            return True
        # Not followed when it is a link, not inherited by what we start.
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        # The file stays: who deletes it could leave two with a lock, each on a file of its own.
        if self._file is not None:
            os.close(self._file)
            self._file = None
