"""10,000 people come to one channel of two servers at once: when does everybody know how many there are?"""

from __future__ import annotations

import time

from bench.figures.figure import Figure
from bench.server import Ours
from bench.swarm import Swarm

PEOPLE, WITHIN = 10_000, 10.0
RULES = {"CHANNELS": {"room": {"PRESENCE": True}}}


def presence():
    """Guests: to look up who a user is belongs to the site's database."""
    with Ours(**RULES) as one, Ours(beside=one, **RULES) as two, Swarm() as here, Swarm() as there:
        both = ((one, here), (two, there))
        for server, clients in both:
            clients.listen(server.port, PEOPLE // 2, "/ws/")
        before, begun = one.cpu() + two.cpu(), time.monotonic()
        for _, clients in both:
            clients.begin("join", "room", f'"count":{PEOPLE}')
        told = sum(clients.end() for _, clients in both)
        took, cpu = time.monotonic() - begun, one.cpu() + two.cpu() - before
    detail = f"{took:.1f} s, {told} were told of all; {cpu:.1f} s of CPU"
    return Figure(f"{PEOPLE} people join a channel of two servers", f"{WITHIN:.0f} s", detail, took <= WITHIN)


FIGURES = [presence]
