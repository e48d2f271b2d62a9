"""How does a server find the others of its site: in Redis, or through the hub of this machine?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from realtime_wall.brokers.link import ServerLink
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.local.local_link import LocalLink
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import this_node


def make_link(config: Config, supervisor: int | None, rules: Rules, address: str) -> ServerLink:
    """``supervisor`` is the process id of a worker's."""
    if config.broker:
        from realtime_wall.brokers.redis.redis_link import RedisLink  # redis-py is an extra

        return RedisLink(config, rules, address)

    def open_bus(hub: Hub) -> Callable[[], None]:
        node = this_node()
        answers = partial(queries.answers, node.watchers, node.broker, node.broker.calls)
        bus = BusServer(node.perform, config, answers, hub)
        bus.start()
        return bus.stop

    return LocalLink(config, rules, address, open_bus, supervisor)
