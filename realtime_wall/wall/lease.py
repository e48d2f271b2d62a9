"""Who of several servers of a project on this machine feeds its walls.

The lease is a lock on a file among the servers' sockets. The kernel lets go of it when its process
ends, however it ends, so that it is never held by the dead and never by two.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from realtime_wall.brokers import runtime_dir
from realtime_wall.config import Config

NAME = "feeder.lock"


class Lease:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @classmethod
    def of_project(cls, config: Config) -> Lease:
        return cls(runtime_dir.create(config) / NAME)

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def take(self) -> bool:
        """Whether it is ours now. Never waits."""
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
