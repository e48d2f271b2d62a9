"""How does a process that is no server send its commands: to the servers of this machine, or by Redis?

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
from realtime_wall.brokers.command_json import to_json
from realtime_wall.brokers.commands import Command, R, Request, Route
from realtime_wall.brokers.link import Link
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.questions import Follow, Question
from realtime_wall.brokers.results import result_from_json
from realtime_wall.brokers.rpc import Expected, Results
from realtime_wall.config import Config
from realtime_wall.control import isolation, unix_client
from realtime_wall.control.message_dict import message_dict
from realtime_wall.errors import MessageTooBig, NoServer

if TYPE_CHECKING:  # redis-py is an extra
    from realtime_wall.brokers.redis.sync_client import RedisInbox, SyncClient


def perform(command: Command[R], config: Config) -> R:
    """NoServer if it takes a server and there is none, NoSocket if none of them had a listener."""
    _check_size(command, config)
    if isolation.is_test_run():
        return isolation.perform(command, config)
    if not config.broker:
        return unix_client.perform(command, config)
    caller = _by_redis(config)
    if _takes_a_server(command):
        caller.check_servers()
    return router.perform(caller, command)


def answers_to(question: Question, config: Config) -> Iterator[Any]:
    """What the running servers answer, as it comes; NoServer if there is none."""
    if isolation.is_test_run():
        yield from isolation.answers_to(question)
        return
    if not config.broker:
        yield from unix_client.answers_to(question, config)
        return
    caller = _by_redis(config)
    caller.check_servers()
    if isinstance(question, Follow):
        yield from map(message_dict, caller.redis.follow(question))
    else:
        yield from router.answers(caller, question)


def where(config: Config) -> str:
    """Where servers are looked for, to be named to people."""
    return config.broker or str(runtime_dir.project_dir(config))


def _check_size(command: Command[Any], config: Config) -> None:
    size = len(getattr(command, "data_json", "").encode())
    if size > config.message_size:
        raise MessageTooBig(size, config.message_size)


def _takes_a_server(command: Command[Any]) -> bool:
    """What is published without listeners in mind waits in Redis for whoever comes."""
    if command.route is Route.SEQUENCED:
        return getattr(command, "wanted", False)
    return command.route is not Route.LINK


class _RedisCaller:
    def __init__(self, link: SyncClient, name: str) -> None:
        self.redis = link
        self._name = name
        self._numbers = count(1)

    @property
    def link(self) -> Link:
        return self.redis

    def check_servers(self) -> None:
        if not self.link.servers():
            raise NoServer(self._name)

    def call(self, servers: Collection[str], request: Request, timeout: float) -> Results:
        key = f"{self.link.address}:call{next(self._numbers)}"
        expected = self.expect(key, servers)
        envelope = {"call": key, "from": self.link.address, "request": to_json(request)}
        for server in servers:
            self.link.send(server, envelope)
        return expected.gather(timeout)

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        return _ExpectedInInbox(self.redis.inbox() if servers else None, key, servers)


class _ExpectedInInbox:
    def __init__(self, inbox: RedisInbox | None, key: str, servers: Collection[str]) -> None:
        self._inbox = inbox
        self._key = key
        self._silent = set(servers)

    def gather(self, timeout: float) -> Results:
        results: Results = {}
        deadline = monotonic() + timeout
        while self._silent and self._inbox is not None and (left := deadline - monotonic()) > 0:
            for envelope in self._inbox.receive(left):
                server = envelope.get("from")
                if envelope.get("reply") == self._key and server in self._silent:
                    results[server] = result_from_json(envelope["result"])
                    self._silent.discard(server)
        return results


_cached: tuple[Config, _RedisCaller] | None = None


def _by_redis(config: Config) -> _RedisCaller:
    global _cached
    if _cached is None or _cached[0] is not config:
        from realtime_wall.brokers.redis.sync_client import SyncClient

        _cached = config, _RedisCaller(SyncClient(config, rules_of(config)), config.broker)
    return _cached[1]
