"""What do the site's receivers cost: how often does each run, how long, and how often does it fail?"""

from __future__ import annotations

from dataclasses import dataclass

from realtime_wall.signals import Receiver, name_of

# Of more receivers (one made for each socket, say) no figures are kept.
MOST = 1000


@dataclass(slots=True)
class ReceiverFigures:
    calls: int = 0
    failures: int = 0
    seconds: float = 0.0


# Of this process, by name.
figures: dict[str, ReceiverFigures] = {}


def note(receiver: Receiver, seconds: float, failed: bool) -> None:
    """It has run once."""
    name = name_of(receiver)
    found = figures.get(name)
    if found is None:
        if len(figures) >= MOST:
            return
        found = figures[name] = ReceiverFigures()
    found.calls += 1
    found.seconds += seconds
    found.failures += failed
