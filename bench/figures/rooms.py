"""Rooms of any size: what coming and going costs, against a room of ten."""

from __future__ import annotations

import contextlib
import math
import random
import statistics
import time

from bench.figures.figure import BODY, ROUNDS, Figure, ratio
from bench.server import Ours
from bench.swarm import Swarm
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


# How many messages a round has for each size: of a small room a message costs many times what its deliveries
# do, so that what these cost is seen only in the mean of many.
MESSAGES = {10: 600, 100: 200, 1000: 30, 10_000: 6}
# In as many requests.
PORTIONS = 2
# Seconds in which clients have read a message, all together and each of them.
READ, READ_EACH = 1e-3, 15e-6
FLAT = 1.10


class RoomOfClients:
    """So many clients on a channel, and a fifth as many on another.

    A fifth, since a channel with a single client is another case: it is kept in less memory.
    """

    def __init__(self, size, ours, stack):
        self.ours, both = ours, size + size // 5
        self.clients = stack.enter_context(Swarm())
        self.clients.listen(ours.port, size, f"/ws/?channel=whole{size}")
        self.clients.listen(ours.port, size // 5, f"/ws/?channel=fifth{size}")
        ours.get(f"/publish/?channel=whole{size}&count=1&size={BODY}")
        frame, count = self.clients.settle() // size, MESSAGES[size] // PORTIONS
        self.bytes = 2 * both * frame * count
        channels, pause = f"channel=whole{size}&channel=fifth{size}", READ + READ_EACH * size
        self.alternate = f"/alternate/?{channels}&count={count}&size={BODY}&frame={frame}&pause={pause}"

    def ratio(self):
        """What one more delivery costs, which leaves out the message itself, to what it costs the loop."""
        portions = [self._portion() for _ in range(PORTIONS)]
        ours, loop, ours_fifth, loop_fifth = map(sum, zip(*portions, strict=True))
        return (ours - ours_fifth) / (loop - loop_fifth)

    def _portion(self):
        # A position of ours grows by a digit now and then: what is counted is what came at least.
        self.clients.begin("expect", self.bytes)
        spent = self.ours.json(self.alternate)["cpu"]
        self.clients.end()
        self.clients.settle(0.01)
        return spent


def flat():
    """What one more delivery costs, to what it costs the loop, in rooms of 10 to 10,000."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(Ours())
        running = [RoomOfClients(size, ours, stack) for size in MESSAGES]
        rounds = [[room.ratio() for room in running] for _ in range(ROUNDS + 1)][1:]
    ratios = [statistics.median(column) for column in zip(*rounds, strict=True)]
    detail = ", ".join(f"{size:,}: {one:.2f} x" for size, one in zip(MESSAGES, ratios, strict=True))
    least = min(ratios)
    spread = max(ratios) / least if least > 0 else math.inf  # else it was lost in the noise
    name = "one more delivery, to that of the loop in C, by the room's size: the widest apart"
    return Figure(name, f"at most {FLAT} x", f"{spread:.2f} x ({detail})", spread <= FLAT)


FIGURES = [rooms, flat]
