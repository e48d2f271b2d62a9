"""The hub of a site whose servers are workers: in their supervisor, which outlives them.

It serves nobody itself. Shells send their commands here, and it passes them on to the workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from realtime_wall.brokers import router
from realtime_wall.brokers.channel_rules import rules_of
from realtime_wall.brokers.commands import Command, R
from realtime_wall.brokers.entry import Deleted, Entry
from realtime_wall.brokers.link import Envelope
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.local.disk_log import open_disk_log
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.node_id import new_address
from realtime_wall.brokers.questions import Question
from realtime_wall.brokers.replica import Replica
from realtime_wall.brokers.rpc import Calls, Handlers
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from realtime_wall.errors import NoServer
from realtime_wall.node.introspection import queries
from realtime_wall.node.watchers import Watchers


class SupervisorHub(Replica):
    def __init__(self, config: Config) -> None:
        rules = rules_of(config)
        super().__init__(rules, config.history_channels)
        self.watchers = Watchers()
        self.link = Hub(rules, config.history_channels, new_address())
        self._config, self._rules = config, rules
        self._calls = Calls(self.link, Handlers())  # nobody asks a supervisor
        self._bus = BusServer(self.perform, config, self._answers, self.link)
        self._lock: IO[bytes] | None = None

    def start(self) -> None:
        """Be the hub of this machine, unless a server of the site that runs already is."""
        self._lock = runtime_dir.lock_hub(self._config)
        self.link.belong_to(self, None if self._lock is None else open_disk_log(self._config, self._rules))
        if self._lock is not None:
            self._bus.start()

    def stop(self) -> None:
        if self._lock is not None:
            self._bus.stop()
            self.link.close()
            self._lock.close()

    # What shells ask

    def perform(self, command: Command[R]) -> R:
        if not self.link.servers():
            raise NoServer("the supervisor (its workers are just starting)")
        return router.perform(self._calls, command)

    def _answers(self, question: Question) -> Iterator[Any]:
        return queries.answers(self.watchers, self, self._calls, question)

    # As the owner of the hub

    def entry(self, entry: Entry) -> None:
        if not isinstance(entry.item, Deleted) and not entry.item.is_volatile:
            self.watchers.see(entry.item, False)

    def receive(self, envelope: Envelope) -> None:
        if "reply" in envelope:
            self._calls.received_reply(envelope)

    def gone(self, address: str) -> None:
        self._calls.gone(address)
