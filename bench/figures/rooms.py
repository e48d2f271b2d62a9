"""Rooms of any size: what coming and going costs, against a room of ten."""

from __future__ import annotations

import contextlib
import math
import random
import statistics
import time

from bench.figures.figure import BODY, ROUNDS, Figure, ratio
from bench.server import Bare, Ours
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


SIZES = (10, 100, 1000, 10_000)
DELIVERIES = 20_000
# Messages at once: what a client's buffers hold.
BURST = 200
FLAT = 1.10


class RoomOfClients:
    """So many clients of ours on a channel, half as many on another, and as many of the loop."""

    def __init__(self, size, ours, stack):
        self.size, self.ours = size, ours
        self.burst = min(DELIVERIES // size, BURST)
        self.bursts = DELIVERIES // size // self.burst
        self.bare = stack.enter_context(Bare())
        self.all, self.half, self.loop = (stack.enter_context(Swarm()) for _ in range(3))
        self.all.listen(ours.port, size, f"/ws/?channel=all{size}")
        self.half.listen(ours.port, size // 2, f"/ws/?channel=half{size}")
        self.loop.listen_bare(self.bare.port, size)
        self._publish("all", 1)
        self.frame = self.all.settle() // size

    def ratio(self):
        """What one more delivery costs, which leaves out the message itself, to what it costs the loop."""
        of_all = self._spent(self.ours, self.all, self.size, lambda: self._publish("all", self.burst))
        of_half = self._spent(self.ours, self.half, self.size // 2, lambda: self._publish("half", self.burst))
        of_loop = self._spent(
            self.bare, self.loop, self.size, lambda: self.bare.send(self.burst, self.frame)
        ) - self._spent(self.bare, self.loop, 0, lambda: self.bare.send(0, self.frame))
        return (of_all - of_half) / (self.size - self.size // 2) / (of_loop / self.size)

    def _publish(self, name, count):
        self.ours.get(f"/publish/?channel={name}{self.size}&count={count}&size={BODY}")

    def _spent(self, server, clients, size, act):
        before = server.cpu()
        for _ in range(self.bursts):
            # A position of ours grows by a digit now and then: what is counted is what came at least.
            clients.begin("expect", size * self.burst * self.frame)
            act()
            clients.end()
            clients.settle(0.01)
        return server.cpu() - before


def flat():
    """What one more delivery costs, to what it costs the loop, in rooms of 10 to 10,000."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(Ours())
        running = [RoomOfClients(size, ours, stack) for size in SIZES]
        rounds = [[room.ratio() for room in running] for _ in range(ROUNDS + 1)][1:]
    ratios = [statistics.median(column) for column in zip(*rounds, strict=True)]
    detail = ", ".join(f"{size:,}: {one:.2f} x" for size, one in zip(SIZES, ratios, strict=True))
    least = min(ratios)
    spread = max(ratios) / least if least > 0 else math.inf  # else it was lost in the noise
    name = "one more delivery, to that of the loop in C, by the room's size: the widest apart"
    return Figure(name, f"at most {FLAT} x", f"{spread:.2f} x ({detail})", spread <= FLAT)


FIGURES = [rooms, flat]
