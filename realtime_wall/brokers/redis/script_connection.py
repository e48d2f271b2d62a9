"""One connection to Redis: commands are sent, several at once, and their replies are read in order.

It blocks whoever uses it, and one greenlet may do so at a time. What goes wrong with the connection is an
``OSError`` or a ``redis.ConnectionError``; what Redis refuses is handed back in its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisError, ResponseError, TimeoutError

from realtime_wall.brokers.redis import scripts
from realtime_wall.brokers.redis.lua import Script
from realtime_wall.wire.not_for_forks import not_for_forks

# What a connection that is gone, or hangs, may raise.
LOST = (Disconnected, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A script with its arguments."""

    script: Script
    arguments: tuple[Any, ...]


class ScriptConnection:
    def __init__(self, pool: ConnectionPool, key: str) -> None:
        self._key = key  # of all scripts
        self._connection: Any = pool.make_connection()
        not_for_forks(self)

    def connect(self) -> None:
        self._connection.connect()
        self.send(*(("SCRIPT", "LOAD", script.text) for script in scripts.ALL))

    def fileno(self) -> int:
        own = self._connection._sock
        return -1 if own is None else int(own.fileno())

    def close(self) -> None:
        with contextlib.suppress(*LOST, RedisError):
            self._connection.disconnect()

    def send(self, *commands: tuple[Any, ...]) -> list[Any]:
        """The replies to commands; a refusal is one of them."""
        connection = self._connection
        connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        return [self._read() for _ in commands]

    def run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        """The replies of scripts; a refusal is one of them."""
        replies = self.send(*map(self._command, calls))
        unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:  # somebody has flushed them
            self.send(*(("SCRIPT", "LOAD", script.text) for script in scripts.ALL))
            again = self.send(*(self._command(calls[index]) for index in unknown))
            for index, reply in zip(unknown, again, strict=True):
                replies[index] = reply
        return replies

    def ask(self, script: Script, *arguments: Any) -> Any:
        """The reply of one script; a refusal is raised."""
        (reply,) = self.run([ScriptCall(script, arguments)])
        if isinstance(reply, ResponseError):
            raise reply
        return reply

    def _command(self, call: ScriptCall) -> tuple[Any, ...]:
        return ("EVALSHA", call.script.sha, 1, self._key, *call.arguments)

    def _read(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as refused:
            return refused
