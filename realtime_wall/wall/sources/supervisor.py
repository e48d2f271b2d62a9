"""Keeps one source running, whatever it raises."""

from __future__ import annotations

import logging

from gevent.event import Event

from realtime_wall.wall.clock import Clock
from realtime_wall.wall.sources.source import Emit, Source, SourceGaveUp

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
HEALTHY = 60.0  # a source that ran for so long starts afresh with its waits


def keep_running(source: Source, emit: Emit, stopping: Event, clock: Clock) -> None:
    """Until the source has ended, has given up, or ``stopping`` is set."""
    wait = FIRST_WAIT
    while not stopping.is_set():
        began = clock.elapsed()
        try:
            source.run(emit)
        except SourceGaveUp as problem:
            logger.error("the source %r has stopped for good: %s", source.name, problem)
            return
        except Exception:
            if clock.elapsed() - began >= HEALTHY:
                wait = FIRST_WAIT
            logger.exception("the source %r failed; it is started again in %.0f s", source.name, wait)
        else:
            logger.info("the source %r has ended", source.name)
            return
        clock.wait(stopping, wait)
        wait = min(wait * 2, LONGEST_WAIT)
