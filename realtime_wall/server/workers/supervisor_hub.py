"""The hub of a site whose servers are workers: in their supervisor, which outlives them.

It serves nobody itself. Shells send their commands here, and it passes them on to the workers.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial
from typing import IO, Any

from realtime_wall.brokers import router
from realtime_wall.brokers.channel_rules import rules_of
from realtime_wall.brokers.commands import Answers, Ask, Command, Receipt
from realtime_wall.brokers.entry import Deleted, Entry
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.local.hub import CallerLink, Hub
from realtime_wall.brokers.node_id import new_address
from realtime_wall.brokers.replica import Replica
from realtime_wall.brokers.rpc import Answers as Answered
from realtime_wall.brokers.rpc import Calls, Expected
from realtime_wall.brokers.sequencer import Sequencer
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from realtime_wall.errors import NoServer
from realtime_wall.node import queries
from realtime_wall.node.watchers import Watchers


class SupervisorHub(Replica):
    def __init__(self, config: Config) -> None:
        rules = rules_of(config)
        super().__init__(rules, config.history_channels)
        hub = Hub(Sequencer(rules, config.history_channels, self.renew()))
        self.watchers = Watchers()
        self.link = CallerLink(hub, new_address())
        self._config = config
        self._calls = Calls(self.link, self._no_server)
        answers = partial(queries.answers, self.watchers, self, self)
        self._bus = BusServer(self.perform, config, self.ask, answers, hub)
        self._lock: IO[bytes] | None = None
        hub.add_caller(self.link.address, self._calls.answered)
        hub.watch(self._entered)
        hub.on_gone(self._calls.gone)

    def start(self) -> None:
        """Be the hub of this machine, unless a server of the site that runs already is."""
        self._lock = runtime_dir.lock_hub(self._config)
        if self._lock is not None:
            self._bus.start()

    def stop(self) -> None:
        if self._lock is not None:
            self._bus.stop()
            self._lock.close()

    # As a caller

    def call(self, servers: Collection[str], request: dict[str, Any], timeout: float) -> Answered:
        return self._calls.call(servers, request, timeout)

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        return self._calls.expect(key, servers)

    # What shells ask

    def perform(self, command: Command) -> Receipt:
        self._check()
        return router.perform(self, command)

    def ask(self, command: Ask) -> Answers:
        self._check()
        return router.ask(self, command)

    def _check(self) -> None:
        if not self.link.servers():
            raise NoServer("the supervisor (its workers are just starting)")

    def _entered(self, entry: Entry) -> None:
        if not isinstance(entry.item, Deleted) and not entry.item.is_volatile:
            self.watchers.see(entry.item, False)

    @staticmethod
    def _no_server(request: dict[str, Any]) -> Any:
        raise AssertionError(f"nobody asks a supervisor: {json.dumps(request)[:200]}")
