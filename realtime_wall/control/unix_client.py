"""How does a process without a server of its own reach the servers of this machine?

It connects to their hub, which is one of them, or the supervisor of the workers, and sends it one command, or
one question. It needs no gevent, no event loop and no state, so it works the same from a shell, cron, Celery,
a thread or a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from realtime_wall.brokers.command_json import to_json
from realtime_wall.brokers.commands import Command, R, Request
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.questions import Question
from realtime_wall.brokers.results import result_from_json
from realtime_wall.config import Config
from realtime_wall.errors import InvalidMessage, NoServer, NoSocket, PublishFailed

# A server that takes longer than this to answer is stuck, not busy.
TIMEOUT = 10.0
# What thousands of clients may have answered to one question.
MAX_ANSWER = 64 * 1024 * 1024


def perform(command: Command[R], config: Config) -> R:
    """Let the servers do it. NoServer if there is none, NoSocket if none of them had a listener."""
    path, connection = _connect(config)
    with connection:
        _send(path, connection, command, command.client_timeout + TIMEOUT)
        answer = _read(path, connection)
    if answer.get("error") == "NoServer":  # a supervisor whose workers are all away
        raise NoServer(path.parent)
    try:
        result = result_from_json(answer)
    except (KeyError, TypeError) as problem:  # a server of another version, before it was restarted
        raise PublishFailed(f"{path}: the server answered something else ({problem})") from problem
    if isinstance(result, (NoSocket, InvalidMessage)):
        raise result
    if isinstance(result, Exception):
        raise PublishFailed(f"{path}: {result}")
    return cast("R", result)


def answers_to(question: Question, config: Config) -> Iterator[Any]:
    """What the servers answer, as it comes, until all is answered. NoServer if there is none."""
    path, connection = _connect(config)
    with connection:
        _send(path, connection, question, TIMEOUT)
        connection.settimeout(None)  # a question may have no end
        with contextlib.suppress(ConnectionError), connection.makefile("rb") as stream:
            while (line := stream.readline()).endswith(b"\n"):  # else it was killed
                answer = json.loads(line)
                if "item" not in answer:
                    raise PublishFailed(f"{answer.get('error')}: {answer.get('message')}")
                yield answer["item"]


def _connect(config: Config) -> tuple[Path, socket.socket]:
    """A connection to the hub. Of those that were killed a socket may be left, which is removed."""
    for path in runtime_dir.sockets(config):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(os.fspath(path))
            return path, connection
        except FileNotFoundError:
            connection.close()
        except ConnectionRefusedError:
            connection.close()
            with contextlib.suppress(OSError):
                path.unlink()
        except OSError as problem:
            connection.close()
            raise PublishFailed(f"{path}: {problem}") from problem
    raise NoServer(runtime_dir.project_dir(config))


def _send(path: Path, connection: socket.socket, request: Request, timeout: float) -> None:
    connection.settimeout(timeout)
    try:
        connection.sendall(json.dumps(to_json(request)).encode() + b"\n")
    except OSError as problem:
        raise PublishFailed(f"{path}: the server did not confirm it ({problem})") from problem


def _read(path: Path, connection: socket.socket) -> dict[str, Any]:
    try:
        with connection.makefile("rb") as stream:
            answer = json.loads(stream.readline(MAX_ANSWER))
    except (OSError, ValueError) as problem:
        raise PublishFailed(f"{path}: the server did not confirm it ({problem})") from problem
    if not isinstance(answer, dict):
        raise PublishFailed(f"{path}: the server answered something else")
    return answer
