"""The servers of one machine, without any other program: the first is the hub, the others join it.

Which one is the first is decided by a lock on a file in the runtime directory. When the hub ends, one of the
others takes its place. It cannot know what the hub had told only itself, so it begins a new epoch, and all
clients come back; unless that is on disk (``LOG_DIR``): then they come back, and have missed nothing. The hub
of workers is in their supervisor (``server/workers/supervisor_hub.py``), and outlives them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import IO

import gevent

from realtime_wall.brokers.entry import Proposal, Sequenced
from realtime_wall.brokers.link import Envelope, Member
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.local.disk_log import open_disk_log
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.local.hub_client import HubClient
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.errors import PublishFailed

log = logging.getLogger(__name__)

# How long a hub may take between its lock and its socket, and how often we look.
PATIENCE = 10.0
LOOK_EVERY = 0.05

# Opens the Unix socket of a hub, for shells and for other servers; what it returns closes it.
OpenBus = Callable[[Hub], Callable[[], None]]


class _BetweenHubs:
    """The link while there is none."""

    def sequence(self, proposal: Proposal) -> Sequenced:
        raise _between_hubs()

    def send(self, address: str, envelope: Envelope) -> None:
        raise _between_hubs()

    def servers(self) -> tuple[str, ...]:
        raise _between_hubs()

    def top(self) -> Position | None:
        raise _between_hubs()

    def leave(self) -> None: ...


def _between_hubs() -> PublishFailed:
    return PublishFailed("this server is between two hubs; try again")


class LocalLink:
    """It is the present link itself: a hub that ends is replaced behind it, and nothing goes through it."""

    sequence: Callable[[Proposal], Sequenced]
    send: Callable[[str, Envelope], None]
    servers: Callable[[], tuple[str, ...]]
    top: Callable[[], Position | None]

    def __init__(
        self, config: Config, rules: Rules, address: str, open_bus: OpenBus, supervisor: int | None = None
    ) -> None:
        """A worker has a ``supervisor``: its process id."""
        self.address = address
        self._supervisor = supervisor
        self._hub_process = 0
        self._config = config
        self._rules = rules
        self._open_bus = open_bus
        self._close_bus: Callable[[], None] = lambda: None
        self._lock: IO[bytes] | None = None
        self._member: Member | None = None
        self._is_leaving = False
        self._use(_BetweenHubs())

    def _use(self, link: Hub | HubClient | _BetweenHubs) -> None:
        self._link = link
        self.sequence, self.send = link.sequence, link.send
        self.servers, self.top = link.servers, link.top

    def join(self, member: Member) -> None:
        self._member = member
        self._find_hub()

    def leave(self) -> None:
        self._is_leaving = True
        self._link.leave()
        self._close_bus()
        if isinstance(self._link, Hub):
            self._link.close()
        if self._lock is not None:
            self._lock.close()

    # Which hub

    def _find_hub(self) -> None:
        """Be the hub, or join the one that is there."""
        with gevent.Timeout(PATIENCE, PublishFailed("there is a hub on this machine that does not answer")):
            while not (self._become_hub() or self._join_hub()):
                gevent.sleep(LOOK_EVERY)

    def _become_hub(self) -> bool:
        self._lock = runtime_dir.lock_hub(self._config)
        if self._lock is None:
            return False
        assert self._member is not None
        hub = Hub(self._rules, self._config.history_channels, self.address)
        hub.join(self._member, open_disk_log(self._config, self._rules))
        self._use(hub)
        self._close_bus = self._open_bus(hub)
        return True

    def _join_hub(self) -> bool:
        for path in runtime_dir.sockets(self._config):
            try:
                link = HubClient(path, self.address, self._hub_is_gone)
            except ConnectionRefusedError:
                with contextlib.suppress(OSError):
                    path.unlink()  # its server was killed
                continue
            except OSError:
                continue
            assert self._member is not None
            try:
                link.join(self._member)
            except (OSError, ValueError, PublishFailed) as problem:
                log.info("the hub %s: %s", path.name, problem)
                link.leave()
                continue
            self._use(link)
            self._hub_process = int(path.stem)
            return True
        return False

    def _hub_is_gone(self) -> None:
        self._use(_BetweenHubs())
        if self._is_leaving:
            return
        if self._supervisor is not None and self._hub_process == self._supervisor:
            # With it goes the address: a worker does not outlive it, and takes nobody's place.
            assert self._member is not None
            self._member.cut_off()
            return
        log.warning("the hub of this machine has ended: all clients come back")
        self._find_hub()
