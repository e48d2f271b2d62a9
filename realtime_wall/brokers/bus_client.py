"""The other end of the bus: a process without a server of its own asks the running ones.

It needs no gevent, no event loop and no state: each command is a short conversation with every server
of this project on this machine, so it works the same from a shell, cron, Celery, a thread or a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

from realtime_wall.brokers import runtime_dir
from realtime_wall.brokers.command import Command, Publish, Receipt, SendTo, to_json
from realtime_wall.config import Config
from realtime_wall.errors import InvalidMessage, MessageTooBig, NoServer, NoSocket, PublishFailed

# A server that takes longer than this to answer is stuck, not busy.
TIMEOUT = 10.0
MAX_ANSWER = 64 * 1024


def perform(command: Command, config: Config) -> Receipt:
    """Let every running server do it. NoServer if there is none, NoSocket if none of them had a listener."""
    if isinstance(command, (Publish, SendTo)):
        size = len(command.data_json.encode())
        if size > config.message_size:
            raise MessageTooBig(size, config.message_size)
    line = json.dumps(to_json(command)).encode() + b"\n"
    receipts: list[Receipt] = []
    nobody: NoSocket | None = None
    for path in runtime_dir.sockets(config):
        answer = _ask(path, line)
        if answer is None:
            continue
        if "receipt" in answer:
            receipts.append(_receipt(path, answer["receipt"]))
        elif answer.get("error") == "NoSocket":
            nobody = NoSocket(answer["message"])
        elif answer.get("error") in ("InvalidMessage", "MessageTooBig"):
            raise InvalidMessage(answer["message"])
        else:
            raise PublishFailed(f"{path}: {answer.get('error')}: {answer.get('message')}")
    if receipts:
        return sum(receipts, Receipt())
    raise nobody or NoServer(runtime_dir.project_dir(config))


def _receipt(path: Path, value: Any) -> Receipt:
    try:
        return Receipt(**value)
    except TypeError as problem:  # a server of another version, before it was restarted
        raise PublishFailed(f"{path}: the server answered something else ({problem})") from problem


def _ask(path: Path, line: bytes) -> dict[str, Any] | None:
    """A server's answer; None when nobody listens there any more."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(os.fspath(path))
        except FileNotFoundError:
            return None
        except ConnectionRefusedError:
            # Its server was killed; what it left behind would be tried each time.
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        except OSError as problem:
            raise PublishFailed(f"{path}: {problem}") from problem
        try:
            connection.sendall(line)
            with connection.makefile("rb") as stream:
                answer = json.loads(stream.readline(MAX_ANSWER))
        except (OSError, ValueError) as problem:
            raise PublishFailed(f"{path}: the server did not confirm it ({problem})") from problem
    if not isinstance(answer, dict):
        raise PublishFailed(f"{path}: the server answered something else")
    return answer
