"""Where does a wall without a LOGGING of its own write what happened? Into the file that LOGFILE names.

It has clients that connect and disconnect, posts that arrive, and whatever any part of the package logs.
A site that sets up Django's LOGGING needs none of this.
"""

from __future__ import annotations

import logging
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from realtime_wall import connected_sockets, signals

NAME = "realtime_wall"  # of the handler, and of the logger whose lines it writes
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

logger = logging.getLogger(__name__)


def write_to(path: str | Path) -> None:
    """From now on. The file is opened with the first line, and again after it was moved away."""
    ours = logging.getLogger(NAME)
    stop_writing()
    handler = WatchedFileHandler(path, encoding="utf-8", delay=True, errors="backslashreplace")
    handler.set_name(NAME)
    handler.setFormatter(logging.Formatter(FORMAT))
    ours.addHandler(handler)
    if logging.lastResort is not None and not logging.getLogger().handlers:
        # A logger with a handler writes nothing to the console by itself any more: warnings and receivers'
        # tracebacks belong there, too.
        ours.addHandler(logging.lastResort)
    if ours.level == logging.NOTSET:
        ours.setLevel(logging.INFO)
    for signal, receiver in (
        (signals.socket_connected, _connected),
        (signals.socket_disconnected, _disconnected),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=__name__)


def stop_writing() -> None:
    ours = logging.getLogger(NAME)
    for handler in [one for one in ours.handlers if one.get_name() == NAME]:
        ours.removeHandler(handler)
        handler.close()
    if logging.lastResort is not None:
        ours.removeHandler(logging.lastResort)


def _connected(socket: Any, **_: Any) -> None:
    logger.info("a client connected; %d are connected", len(connected_sockets))


def _disconnected(socket: Any, **_: Any) -> None:
    logger.info("a client disconnected; %d are connected", len(connected_sockets))
