"""What may one client make us do, and what may all clients of one user, or of one address?

What is spent has the name of the setting that limits it, which is then in the reason and in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from realtime_wall.config import Config
from realtime_wall.protocol.rate_limit import Rate, TokenBucket, rate

FRAMES, BYTES, EVENTS, SUBSCRIBES, SECONDS = (
    "FRAME_RATE",
    "BYTE_RATE",
    "EVENT_RATE",
    "SUBSCRIBE_RATE",
    "CPU_RATE",
)
CONNECTS = "ADDRESS_ACCEPT_RATE"
SESSIONS = "ADDRESS_ACCEPT_RATE of sessions"
# Of what has no burst of its own in the settings, so many seconds' worth may come at once.
BURST = 10.0

# A connection is settled after this part of what it may send at once, but not after fewer frames than the
# least, for which it would cost as much as they do, and not after more than the most.
PART, LEAST, MOST = 1 / 16, 16, 64

Rates = Mapping[str, Rate]


def event_named(name: str) -> str:
    return f"EVENT_RATES[{name!r}]"


def rates_of(config: Config, times: float = 1.0) -> dict[str, Rate]:
    """Of one connection, or of so many ``times`` as much; none where there is no limit."""
    given: dict[str, tuple[float, float]] = {
        FRAMES: (config.frame_rate, config.frame_burst),
        BYTES: (config.byte_rate, config.byte_burst),
        EVENTS: (config.event_rate, config.event_rate * BURST),
        SUBSCRIBES: (config.subscribe_rate, config.subscribe_rate * BURST),
        SECONDS: (config.cpu_rate, config.cpu_rate * BURST),
    }
    for name, per_second in config.event_rates.items():
        if not event_rate_problem(per_second):
            given[event_named(name)] = (per_second, max(per_second * BURST, 1.0))
    return {
        name: rate(per_second * times, burst * times)
        for name, (per_second, burst) in given.items()
        if per_second
    }


def batch_of(rates: Rates) -> int:
    """After how many frames a connection is settled; what they were is known afterwards."""
    bursts = [rates[name].burst for name in (FRAMES, EVENTS) if name in rates]
    return _part_of(min(bursts, default=MOST / PART))


def batches_of_events(names: Iterable[str], rates: Rates) -> dict[str, tuple[str, int]]:
    """Of those with a rate of their own: what it is called, and after how many a connection is settled.

    Who sends none of a rare one is not settled more often for it.
    """
    found = {name: event_named(name) for name in names}
    return {name: (key, _part_of(rates[key].burst)) for name, key in found.items() if key in rates}


def _part_of(burst: float) -> int:
    return max(min(int(burst * PART), MOST), LEAST)


def event_rate_problem(per_second: object) -> str | None:
    """Why an event cannot have this rate."""
    if isinstance(per_second, bool) or not isinstance(per_second, (int, float)) or not 0 < per_second < 1e9:
        return f"cannot be {per_second!r}: it is a number of events a second"
    return None


class Budget:
    """A bucket for each of what is limited, made when the first of it is spent."""

    __slots__ = ("_buckets", "_rates")

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, spent: Mapping[str, float], now: float) -> float:
        """Pay for all of it; in how many seconds it will be paid, 0 or less when it is."""
        longest = 0.0
        for name, count in spent.items():
            bucket = self._buckets.get(name)
            if bucket is None:
                if name not in self._rates:
                    continue
                bucket = self._buckets[name] = TokenBucket(self._rates[name])
            seconds = bucket.take(count, now)
            if seconds > longest:  # max() would take as long as the bucket does
                longest = seconds
        return longest

    def exhausted(self, now: float, patience: float) -> str | None:
        """What waiting is of no use for; see ``TokenBucket.is_exhausted``."""
        for name, bucket in self._buckets.items():
            if bucket.is_exhausted(now, patience):
                return name
        return None

    def owed(self, now: float) -> str | None:
        """Something that is not paid yet."""
        return next((name for name in self._buckets if self.debt(now, name) > 0), None)

    def debt(self, now: float, name: str | None = None) -> float:
        """In how many seconds it is paid; everything, without a name."""
        names = self._buckets if name is None else {name} & self._buckets.keys()
        return max((self._buckets[one].take(0, now) for one in names), default=0.0)

    def is_full(self, now: float) -> bool:
        """Whether it is as good as a new one."""
        return all(bucket.is_full(now) for bucket in self._buckets.values())
