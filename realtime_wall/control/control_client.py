"""How does a process that is no server say its commands: to the servers of this machine, or by Redis?

It needs no gevent, no event loop and no state, so it works the same from a shell, cron, Celery, a thread, a
fork, and Django under another server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

from realtime_wall.brokers import router
from realtime_wall.brokers.channel_rules import rules_of
from realtime_wall.brokers.commands import (
    WITH_DATA,
    Answers,
    Ask,
    Command,
    Delete,
    Follow,
    GetPosition,
    Publish,
    Question,
    Receipt,
    Retract,
)
from realtime_wall.brokers.link import Link
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.rpc import Answers as Answered
from realtime_wall.brokers.rpc import Expected
from realtime_wall.config import Config
from realtime_wall.control import unix_client
from realtime_wall.control.message_dict import told
from realtime_wall.errors import MessageTooBig, NoServer

if TYPE_CHECKING:  # redis-py is an extra
    from realtime_wall.brokers.redis.sync_client import Inbox, RedisOutside


def perform(command: Command, config: Config) -> Receipt:
    """NoServer if it takes a server and there is none, NoSocket if none of them had a listener."""
    _check_size(command, config)
    if not config.broker:
        return unix_client.perform(command, config)
    caller = _by_redis(config)
    if _takes_a_server(command):
        caller.check_servers()
    return router.perform(caller, command)


def ask(command: Ask, config: Config) -> Answers:
    """Let every running server ask its clients, all at once."""
    _check_size(command, config)
    if not config.broker:
        return unix_client.ask(command, config)
    caller = _by_redis(config)
    caller.check_servers()
    return router.ask(caller, command)


def answers_to(question: Question, config: Config) -> Iterator[Any]:
    """What the running servers answer, as it comes; NoServer if there is none."""
    if not config.broker:
        yield from unix_client.answers_to(question, config)
        return
    caller = _by_redis(config)
    caller.check_servers()
    if isinstance(question, Follow):
        yield from map(told, caller.redis.follow(question))
    else:
        yield from router.answers(caller, question)


def where(config: Config) -> str:
    """Where servers are looked for, to be named to people."""
    return config.broker or str(runtime_dir.project_dir(config))


def _check_size(command: Command | Ask, config: Config) -> None:
    if isinstance(command, WITH_DATA):
        size = len(command.data_json.encode())
        if size > config.message_size:
            raise MessageTooBig(size, config.message_size)


def _takes_a_server(command: Command) -> bool:
    """What is published without listeners in mind waits in Redis for whoever comes."""
    if isinstance(command, Publish):
        return command.wanted
    return not isinstance(command, (Retract, Delete, GetPosition))


class _Caller:
    def __init__(self, link: RedisOutside, name: str) -> None:
        self.redis = link
        self._name = name
        self._numbers = count(1)

    @property
    def link(self) -> Link:
        return self.redis

    def check_servers(self) -> None:
        if not self.link.servers():
            raise NoServer(self._name)

    def call(self, servers: Collection[str], request: dict[str, Any], timeout: float) -> Answered:
        key = f"{self.link.address}:call{next(self._numbers)}"
        expected = self.expect(key, servers)
        for server in servers:
            self.link.tell(server, {"call": key, "from": self.link.address, "request": request})
        return expected.gather(timeout)

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        return _Expected(self.redis.inbox() if servers else None, key, servers)


class _Expected:
    def __init__(self, inbox: Inbox | None, key: str, servers: Collection[str]) -> None:
        self._inbox = inbox
        self._key = key
        self._silent = set(servers)

    def gather(self, timeout: float) -> Answered:
        answers: Answered = {}
        deadline = monotonic() + timeout
        while self._silent and self._inbox is not None and (left := deadline - monotonic()) > 0:
            for note in self._inbox.receive(left):
                if note.get("reply") == self._key and note.get("from") in self._silent:
                    answers[note["from"]] = note["answer"]
                    self._silent.discard(note["from"])
        return answers


_known: tuple[Config, _Caller] | None = None


def _by_redis(config: Config) -> _Caller:
    global _known
    if _known is None or _known[0] is not config:
        from realtime_wall.brokers.redis.sync_client import RedisOutside

        _known = config, _Caller(RedisOutside(config, rules_of(config)), config.broker)
    return _known[1]
