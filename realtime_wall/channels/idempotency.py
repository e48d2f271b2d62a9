"""What was answered to a request that may come again?

Who published and did not hear the answer cannot know whether it worked. It asks the same again with the same
idempotency key, is answered as the first time, and nothing happens twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from realtime_wall.errors import InvalidMessage

Answer = TypeVar("Answer")

# A client that tries again does it within minutes.
AGE = 600.0
# Strangers with a token choose the keys; beyond this number the oldest are forgotten.
LIMIT = 10_000
LONGEST_KEY = 255


def check_key(key: object) -> str:
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and key.isprintable():
        return key
    reason = f"is no text of 1 to {LONGEST_KEY} printable characters"
    raise InvalidMessage(f"idempotency key {str(key)[:140]!r} {reason}")


class IdempotencyKeys(Generic[Answer]):
    def __init__(self, age: float = AGE, limit: int = LIMIT) -> None:
        self._age = age
        self._limit = limit
        self._answers: OrderedDict[Hashable, tuple[float, Answer]] = OrderedDict()  # oldest first

    def get(self, key: Hashable, now: float) -> Answer | None:
        self._expire(now)
        when_and_what = self._answers.get(key)
        return None if when_and_what is None else when_and_what[1]

    def put(self, key: Hashable, answer: Answer, now: float) -> Answer:
        """Remember the answer, or hand back the one that was remembered first."""
        known = self.get(key, now)
        if known is not None:
            return known
        if len(self._answers) >= self._limit:
            self._answers.popitem(last=False)
        self._answers[key] = now, answer
        return answer

    def items(self) -> Iterator[tuple[Hashable, float, Answer]]:
        """Each key with when it was answered, and the answer; the oldest first."""
        for key, (when, answer) in tuple(self._answers.items()):
            yield key, when, answer

    def _expire(self, now: float) -> None:
        while self._answers and next(iter(self._answers.values()))[0] < now - self._age:
            self._answers.popitem(last=False)
