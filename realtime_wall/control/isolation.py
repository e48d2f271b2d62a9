"""A test run speaks to no running server and no Redis: what stands in their place?

Without this a test would publish to the pages that its developer has open. As Django's mail goes to an outbox
in tests, so what is published goes into a log that nobody listens to: a view or a task that publishes works,
what wants listeners finds none. ``realtime_wall.testing`` has clients, and a server that they are on.
"""

from __future__ import annotations

import atexit
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from tempfile import mkdtemp
from typing import Any

from realtime_wall.brokers import router
from realtime_wall.brokers.channel_rules import rules_of
from realtime_wall.brokers.commands import Command, R, Request
from realtime_wall.brokers.entry import Entry
from realtime_wall.brokers.link import Envelope, Link
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.node_id import new_address
from realtime_wall.brokers.questions import Question
from realtime_wall.brokers.rpc import Expected, Results
from realtime_wall.brokers.sequencer import Sequencer
from realtime_wall.channels.log import Log
from realtime_wall.config import Config
from realtime_wall.errors import NoServer

PYTEST_PLUGIN = "realtime_wall.testing.pytest_plugin"

# A server of the test run in another thread: it is asked to do something, and waited for.
AskServer = Callable[["Command[Any] | Question"], Any]
test_server: AskServer | None = None


def is_test_run() -> bool:
    """Whether Django's test runner, or pytest, runs tests in this process."""
    utils, plugin = sys.modules.get("django.test.utils"), sys.modules.get(PYTEST_PLUGIN)
    is_set_up = utils is not None and hasattr(getattr(utils, "_TestState", None), "saved_data")
    return is_set_up or getattr(plugin, "is_isolated", False)


def shared_config(config: Config) -> Config:
    """What is shared with the site's other processes: in a test run there are none."""
    return own_config(config) if is_test_run() else config


def own_config(config: Config) -> Config:
    """The same without what would be shared with running servers: their Redis, and their directory."""
    return replace(config, broker="", log_dir="", bus_group=None, runtime_dir=_directory())


@cache
def _directory() -> str:
    """It is deleted when the run ends."""
    path = mkdtemp(prefix="realtime_wall-tests-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def perform(command: Command[R], config: Config) -> R:
    if test_server is not None:
        result: R = test_server(command)
        return result
    return router.perform(_nobody(config), command)


def answers_to(question: Question) -> Iterator[Any]:
    if test_server is None:
        raise NoServer("a test run, which asks none outside")
    return iter(test_server(question))


class _Nobody:
    """A site with a log and without servers."""

    def __init__(self, config: Config) -> None:
        rules = rules_of(config)
        hub = Hub(rules, config.history_channels, new_address())
        self._log = Sequencer(rules, config.history_channels).log
        hub.belong_to(self)
        self.link: Link = hub

    def call(self, servers: Collection[str], request: Request, timeout: float) -> Results:
        return {}

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        return self

    def gather(self, timeout: float) -> Results:
        return {}

    # As the hub's owner

    def take_over(self, restored: object = None) -> Log:
        return self._log

    def entry(self, entry: Entry) -> None: ...
    def receive(self, envelope: Envelope) -> None: ...
    def gone(self, address: str) -> None: ...


_cached: tuple[Config, _Nobody] | None = None


def _nobody(config: Config) -> _Nobody:
    global _cached
    if _cached is None or _cached[0] is not config:
        _cached = config, _Nobody(config)
    return _cached[1]
