"""A clock that tests move: what the package does after some time it does when a test says that it has passed.

It is the clock of this package alone: Django's, and a site's own, stay as they are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from realtime_wall.wire.timer_wheel import TimerWheel

# A heartbeat may come, and be answered, between two steps.
STEP = 1.0
MOST_STEPS = 1000


class MovableClock:
    def __init__(self, timer_wheel: TimerWheel, settle: Callable[[], object]) -> None:
        self._timer_wheel = timer_wheel
        self._settle = settle
        self._offset = 0.0
        self._patched: list[tuple[Any, str, Any]] = []

    def monotonic(self) -> float:
        return time.monotonic() + self._offset

    def time(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, and what is due in them happen."""
        if not self._patched:
            self._patch()
        self._settle()
        step = max(STEP, seconds / MOST_STEPS)
        while seconds > 0:
            self._offset += min(step, seconds)
            seconds -= step
            self._timer_wheel.turn(self.monotonic())
            self._settle()

    def restore(self) -> None:
        for module, name, value in self._patched:
            setattr(module, name, value)
        self._patched.clear()

    def _patch(self) -> None:
        instead: dict[Any, Any] = {time.monotonic: self.monotonic, time.time: self.time, time: _Time(self)}
        for module_name, module in list(sys.modules.items()):
            is_ours = module_name.startswith("realtime_wall.")
            if not is_ours or module_name.startswith("realtime_wall.testing."):
                continue
            for name in ("monotonic", "time"):
                value = vars(module).get(name)
                if any(value is original for original in instead):
                    self._patched.append((module, name, value))
                    setattr(module, name, instead[value])


class _Time:
    """The module, for those who have imported it."""

    def __init__(self, clock: MovableClock) -> None:
        self.monotonic = clock.monotonic
        self.time = clock.time

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
