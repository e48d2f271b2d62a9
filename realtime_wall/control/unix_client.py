"""The other end of the bus: a process without a server of its own asks the running ones.

It needs no gevent, no event loop and no state: each command is a short conversation with every server
of this project on this machine, so it works the same from a shell, cron, Celery, a thread or a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from realtime_wall.brokers.commands import Answers, Ask, Command, Question, Receipt, to_json
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.config import Config
from realtime_wall.errors import InvalidMessage, NoServer, NoSocket, PublishFailed

# A server that takes longer than this to answer is stuck, not busy.
TIMEOUT = 10.0
# What thousands of clients may have answered to one question.
MAX_ANSWER = 64 * 1024 * 1024


def perform(command: Command, config: Config) -> Receipt:
    """Let every running server do it. NoServer if there is none, NoSocket if none of them had a listener."""
    results = [_receipt(path, answer.get("receipt")) for path, answer in _tell_all(command, config, TIMEOUT)]
    return sum(results, Receipt())


def ask(command: Ask, config: Config) -> Answers:
    """Let every running server ask its clients, all at once."""
    results: list[Answers] = []
    for path, answer in _tell_all(command, config, command.timeout + TIMEOUT):
        try:
            results.append(Answers(answer["answers"]["answers"], tuple(answer["answers"]["silent"])))
        except (KeyError, TypeError) as problem:
            raise PublishFailed(f"{path}: the server answered something else ({problem})") from problem
    return sum(results, Answers({}))


def _tell_all(command: Command | Ask, config: Config, timeout: float) -> list[tuple[Path, dict[str, Any]]]:
    """What each server answers that did it; one raises when none could, or something went wrong."""
    line = json.dumps(to_json(command)).encode() + b"\n"
    done: list[tuple[Path, dict[str, Any]]] = []
    nobody: NoSocket | None = None
    with contextlib.ExitStack() as stack:
        # All are told before the first has answered: they may take their time.
        told = [(path, _tell(stack, path, line, timeout)) for path in runtime_dir.sockets(config)]
        for path, connection in told:
            if connection is None:
                continue
            answer = _read(path, connection)
            error = answer.get("error")
            if "receipt" in answer or "answers" in answer:
                done.append((path, answer))
            elif error == "NoServer":
                continue  # a supervisor whose workers are all away
            elif error == "NoSocket":
                nobody = NoSocket(answer["message"])
            elif error in ("InvalidMessage", "MessageTooBig"):
                raise InvalidMessage(answer["message"])
            else:
                raise PublishFailed(f"{path}: {error}: {answer.get('message')}")
    if not done:
        raise nobody or NoServer(runtime_dir.project_dir(config))
    return done


def _receipt(path: Path, value: Any) -> Receipt:
    try:
        return Receipt(**value)
    except TypeError as problem:  # a server of another version, before it was restarted
        raise PublishFailed(f"{path}: the server answered something else ({problem})") from problem


def _tell(stack: contextlib.ExitStack, path: Path, line: bytes, timeout: float) -> socket.socket | None:
    """A connection on which the server is going to answer; None when nobody listens there any more."""
    connection = _connect(path)
    if connection is None:
        return None
    stack.enter_context(contextlib.closing(connection))
    connection.settimeout(timeout)
    try:
        connection.sendall(line)
    except OSError as problem:
        raise PublishFailed(f"{path}: the server did not confirm it ({problem})") from problem
    return connection


def _read(path: Path, connection: socket.socket) -> dict[str, Any]:
    try:
        with connection.makefile("rb") as stream:
            answer = json.loads(stream.readline(MAX_ANSWER))
    except (OSError, ValueError) as problem:
        raise PublishFailed(f"{path}: the server did not confirm it ({problem})") from problem
    if not isinstance(answer, dict):
        raise PublishFailed(f"{path}: the server answered something else")
    return answer


def _connect(path: Path) -> socket.socket | None:
    """A connection to a server; None when nobody listens there any more."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    try:
        connection.connect(os.fspath(path))
        return connection
    except FileNotFoundError:
        pass
    except ConnectionRefusedError:
        # Its server was killed; what it left behind would be tried each time.
        with contextlib.suppress(OSError):
            path.unlink()
    except OSError as problem:
        connection.close()
        raise PublishFailed(f"{path}: {problem}") from problem
    connection.close()
    return None


def answers_to(question: Question, config: Config) -> Iterator[Any]:
    """What the running servers answer, as it comes, until all of them have said everything.

    NoServer if there is none.
    """
    line = json.dumps(to_json(question)).encode() + b"\n"
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for path in runtime_dir.sockets(config):
            connection = _tell(stack, path, line, TIMEOUT)
            if connection is not None:
                selector.register(connection, selectors.EVENT_READ, bytearray())
        if not selector.get_map():
            raise NoServer(runtime_dir.project_dir(config))
        while selector.get_map():
            for key, _ in selector.select():
                connection = cast("socket.socket", key.fileobj)
                data = b""
                with contextlib.suppress(OSError):  # a server that was killed has ended, too
                    data = connection.recv(64 * 1024)
                if not data:
                    selector.unregister(connection)
                yield from _items(key.data, data)


def _items(waiting: bytearray, data: bytes) -> Iterator[Any]:
    """What the lines hold that are complete with this; the rest waits."""
    waiting += data
    *lines, rest = waiting.split(b"\n")
    waiting[:] = rest
    for line in lines:
        answer = json.loads(line)
        if "item" not in answer:
            raise PublishFailed(f"{answer.get('error')}: {answer.get('message')}")
        yield answer["item"]
