"""Publishes at a rate from a Django without a server: ``python -m tests.oracle.publisher``.

It writes down what became of each attempt. Every other message has a key and is tried again until it is
taken, as a program would that must not lose it; the others are tried once. It ends when its standard input
does, and writes its journal then.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import select
import sys
from time import monotonic

import django

from tests.oracle.journal import REFUSED, TAKEN, UNKNOWN, Attempt, Place
from tests.oracle.reading import payload

TRIES = 50
PAUSE = 0.1  # between them


class Publisher:
    def __init__(self, index: int, channels: list[str]) -> None:
        self.attempts: list[Attempt] = []
        self._index = index
        self._channels = channels
        self._count = 0

    def say_one(self) -> None:
        """Publish the next message, on any of the channels."""
        self._count += 1
        key = f"{self._index}-{self._count}" if self._count % 2 else None
        self._say(random.choice(self._channels), key, TRIES if key else 1)

    def say_the_last(self) -> list[int]:
        """One on each channel, which everybody has to hear; their numbers."""
        numbers = []
        for channel in self._channels:
            self._count += 1
            taken = self._say(channel, f"{self._index}-{self._count}", 10 * TRIES)
            assert taken.outcome == TAKEN, taken
            numbers.append(taken.number)
        return numbers

    def _say(self, channel: str, key: str | None, tries: int) -> Attempt:
        number = (self._index << 32) + self._count
        while True:
            attempt = self._try(channel, number, key)
            self.attempts.append(attempt)
            tries -= 1
            if attempt.outcome == TAKEN or not tries:
                return attempt
            wait(PAUSE)

    def _try(self, channel: str, number: int, key: str | None) -> Attempt:
        from realtime_wall import InvalidMessage, NoServer, publish

        began = monotonic()
        outcome, place, why = UNKNOWN, None, ""
        try:
            answer = publish(channel, payload(channel, number, began), idempotency_key=key)
            outcome, place = TAKEN, Place.parse(str(answer))
        except (NoServer, InvalidMessage) as problem:  # surely not published
            outcome, why = REFUSED, repr(problem)
        except Exception as problem:  # whatever it is, nobody knows
            why = repr(problem)
        return Attempt(number, channel, began, monotonic(), outcome, place, why, key)


def wait(seconds: float) -> bool:
    """Whether there is something to obey, or for how long there was not."""
    return bool(select.select([sys.stdin], [], [], min(3600, max(0, seconds)))[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=int, default=1)
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--channels", default="a,b,c,d")
    asked = parser.parse_args()
    django.setup()
    publisher = Publisher(asked.index, asked.channels.split(","))
    due = monotonic()
    while True:
        if wait(due - monotonic()):
            verb, *arguments = json.loads(sys.stdin.readline())
            if verb == "finish":
                break
            print(json.dumps(publisher.say_the_last()), flush=True)
            due = float("inf")  # nothing comes after them
            continue
        publisher.say_one()
        due = max(due + 1 / asked.rate, monotonic() - 1)  # late ones are made up for, but not for ever
    with open(arguments[0], "wb") as file:
        pickle.dump(publisher.attempts, file)
    print("null", flush=True)


if __name__ == "__main__":
    main()
