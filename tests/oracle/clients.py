"""Many clients in one process of their own: ``python -m tests.oracle.clients``.

It is told what to do by lines of JSON on its standard input, ``[verb, arguments...]``, and answers each by
one on its standard output. Its journals are in the file it was told when it has answered ``finish``.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import pickle
import random
import select
import sys
from collections import Counter
from itertools import count
from time import monotonic

from tests.oracle.client import Client
from tests.oracle.ways import WAYS

LOOK_EVERY = 1.0


class Swarm:
    """All clients of this process, and one epoll."""

    def __init__(self, addresses: list[tuple[str, int]], poll_pause: float) -> None:
        self.addresses = addresses
        self.poll_pause = poll_pause
        self.clients: list[Client] = []
        self.is_over = False
        self._epoll = select.epoll()
        self._watched: dict[int, Client] = {}
        self._due: list[tuple[float, int, Client]] = []
        self._order = count()

    # For the clients

    def watch(self, client: Client, events: int) -> None:
        fd = client.connection.fileno()
        if self._watched.get(fd) is client:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
            self._watched[fd] = client

    def unwatch(self, client: Client) -> None:
        fd = client.connection.fileno()
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, client: Client) -> None:
        heapq.heappush(self._due, (monotonic() + seconds, next(self._order), client))

    # The loop

    def run(self, commands: int) -> None:
        self._epoll.register(commands, select.EPOLLIN)
        look_at = monotonic() + LOOK_EVERY
        while not self.is_over:
            now = monotonic()
            wait = min(look_at, self._due[0][0] if self._due else look_at) - now
            for fd, _ in self._epoll.poll(max(0, wait)):
                if fd == commands:
                    self._obey(commands)
                elif (client := self._watched.get(fd)) is not None:
                    client.ready()
            now = monotonic()
            while self._due and self._due[0][0] <= now:
                client = heapq.heappop(self._due)[2]
                if client.connection is None:
                    client.connect()
            if now >= look_at:
                look_at = now + LOOK_EVERY
                for client in self.clients:
                    client.silent_since(now)

    def _obey(self, commands: int) -> None:
        data = os.read(commands, 65536)
        if not data:
            self.is_over = True
        for line in data.splitlines():
            verb, *arguments = json.loads(line)
            print(json.dumps(getattr(self, f"do_{verb}")(*arguments)), flush=True)

    # The verbs

    def do_status(self) -> dict:
        return {
            "back": sum(client.is_back for client in self.clients),
            "heard": sum(client.heard_count for client in self.clients),
            "stand": sorted({str(place) for one in self.clients for place in one.cursors.values()})[-3:],
            "away": Counter(client.kind for client in self.clients if not client.is_back),
        }

    def do_go_to(self, addresses: list[list]) -> None:
        """Where clients connect to from now on."""
        self.addresses = [(host, port) for host, port in addresses]

    def do_cut(self, share: float) -> int:
        """Cut some connections, each in the middle of what it hears next."""
        chosen = [one for one in self.clients if one.connection is not None and random.random() < share]
        for client in chosen:
            client.cut_at = int(random.expovariate(1 / 60))
        return len(chosen)

    def do_have_heard(self, numbers: list[int]) -> int:
        """How many clients have not heard the last message of one of their channels."""
        wanted = set(numbers)
        return sum(not client.has_heard(wanted) for client in self.clients)

    def do_finish(self, path: str) -> dict:
        self.is_over = True
        for client in self.clients:
            client.close()
        with open(path, "wb") as file:
            pickle.dump([client.journal for client in self.clients], file)
        times = os.times()
        return {"cpu": times.user + times.system}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("addresses", help="host:port,host:port")
    parser.add_argument("--name", default="")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--channels", default="a,b,c,d")
    parser.add_argument("--each", type=int, default=2, help="to how many channels a client listens")
    parser.add_argument("--poll-pause", type=float, default=0.5)
    asked = parser.parse_args()

    addresses = [address.rpartition(":")[::2] for address in asked.addresses.split(",")]
    swarm = Swarm([(host, int(port)) for host, port in addresses], asked.poll_pause)
    channels, ways = asked.channels.split(","), asked.ways.split(",")
    for number in range(asked.clients):
        kind = ways[number % len(ways)]
        first = number // len(ways)
        mine = {channels[(first + step) % len(channels)]: None for step in range(asked.each)}
        client = WAYS[kind](swarm, f"{kind}-{asked.name}{number}", tuple(mine))
        swarm.clients.append(client)
        swarm.later(number * 0.002, client)  # a server is not asked for all at one instant at first
    swarm.run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
