"""Keeps one source running, whatever it raises."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gevent.event import Event

from realtime_wall.api import Backoff
from realtime_wall.wall.feed.clock import Clock
from realtime_wall.wall.sources.source import Emit, Source, SourceGaveUp

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
HEALTHY = 60.0  # a source that ran for so long starts afresh with its waits


def keep_running(
    source: Source,
    emit: Emit,
    stopping: Event,
    clock: Clock,
    report: Callable[[str], object] = lambda _: None,
) -> None:
    """Until the source has ended, has given up, or ``stopping`` is set.

    ``report`` is given its problem in a sentence, and an empty one when it is started.
    """
    backoff = Backoff(FIRST_WAIT, LONGEST_WAIT)
    while not stopping.is_set():
        began = clock.elapsed()
        report("")
        try:
            source.run(emit)
        except SourceGaveUp as problem:
            logger.error("the source %r has stopped for good: %s", source.name, problem)
            report(f"it has stopped for good: {problem}")
            return
        except Exception as problem:
            if clock.elapsed() - began >= HEALTHY:
                backoff.succeeded()
            wait = backoff.failed()
            logger.exception("the source %r failed; it is started again in %.0f s", source.name, wait)
            report(f"it failed and is started again: {type(problem).__name__}: {problem}")
        else:
            logger.info("the source %r has ended", source.name)
            return
        clock.wait(stopping, wait)
