"""Who in this process wants to know what is published, by pattern: receivers, and who follows from a shell.

A watcher is called at once, between the log and the deliveries, and must not wait. A receiver of the
project's may: its messages wait in an inbox of its own, in order, and what it raises hurts nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic

from realtime_wall.async_functions import result_of
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import matcher
from realtime_wall.config import current as config
from realtime_wall.events import Published
from realtime_wall.signals import name_of
from realtime_wall.sockets.dispatch.inbox import Inbox, Pool

log = logging.getLogger(__name__)

# Messages that wait for one receiver; what is beyond it misses.
WAITING = 1000

Watcher = Callable[[Message], object]


class Watchers:
    def __init__(self) -> None:
        self._watchers: list[tuple[Callable[[str], bool], Watcher, bool]] = []

    def add(self, pattern: str, watcher: Watcher, *, once: bool = False) -> Callable[[], None]:
        """Call it with what is published on channels that fit; what is returned ends that.

        ``once`` is for one that is on every server, and is to be called on one of them.
        """
        entry = (matcher(pattern), watcher, once)
        self._watchers.append(entry)
        return partial(self._watchers.remove, entry)

    def see(self, message: Message, is_ours: bool) -> None:
        if self._watchers and message.channel != EVERYONE:
            for fits, watcher, once in tuple(self._watchers):
                if (is_ours or not once) and fits(message.channel):
                    watcher(message)


class Receiver:
    """A function of the project's, which may take its time."""

    def __init__(self, pool: Pool, function: Callable[[Published], object]) -> None:
        self._function = function
        self._inbox = Inbox(pool, self)
        self._misses = 0

    def __call__(self, message: Message) -> None:
        if self._inbox.jobs is not None and len(self._inbox.jobs) >= WAITING:
            if not self._misses:
                log.warning("%s is too slow: it misses messages", name_of(self._function))
            self._misses += 1
            return
        if self._misses:
            log.warning("%s has missed %d messages", name_of(self._function), self._misses)
            self._misses = 0
        self._inbox.put(partial(self._run, message))

    def _run(self, message: Message) -> None:
        started = monotonic()
        try:
            result_of(self._function(published_of(message)))
        # As in sockets/dispatch/receivers.py: whatever it raises is its own fault.
        except BaseException:
            log.exception("%s failed on a message of %r", name_of(self._function), message.channel)
        seconds = monotonic() - started
        if seconds > config().slow_receiver:
            log.warning("%s took %.1f s on a message", name_of(self._function), seconds)

    # As the inbox's source: nobody can be made to wait

    def pause(self) -> None: ...
    def resume(self) -> None: ...


def published_of(message: Message) -> Published:
    return Published(
        channel=message.channel,
        data_json=message.data_json,
        event=message.event,
        event_id=message.event_id,
        cursor=str(message.position),
        time=message.time,
    )
