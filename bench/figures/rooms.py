"""Rooms of any size: what coming and going costs, against a room of ten."""

from __future__ import annotations

import random
import time

from bench.figures.figure import ROUNDS, ratio
from realtime_wall.node.fan_out.subscriber import ListensOnly
from realtime_wall.node.fan_out.subscriptions import Subscriptions

SMALL, LARGE = 10, 10_000
MOVES = 2000


class Room:
    def __init__(self, size):
        self.subscriptions = Subscriptions()
        self.members = [ListensOnly() for _ in range(size)]
        for member in self.members:
            self.subscriptions.add("room", member)

    def come_and_go(self):
        """CPU microseconds of one who leaves and comes back, a message being queued for each."""
        chosen = random.Random(1).choices(self.members, k=MOVES)
        began = time.thread_time()
        for member in chosen:
            audience = self.subscriptions.audience("room")
            audience.queued()
            self.subscriptions.remove("room", member)
            audience.delivered()
            self.subscriptions.add("room", member)
        return (time.thread_time() - began) / MOVES * 1e6


def rooms():
    """Leaving and coming back beside a message that is on its way, in a room of 10,000 and in one of ten."""
    small, large = Room(SMALL), Room(LARGE)
    rounds = [(large.come_and_go(), small.come_and_go()) for _ in range(3 * ROUNDS)]
    name = f"leaving and joining a room of {LARGE:,}, to one of {SMALL}"
    return ratio(name, 2, "us", *(list(column) for column in zip(*rounds, strict=True)))


FIGURES = [rooms]
