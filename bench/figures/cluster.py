"""Many processes: what a second worker costs, and what it costs when everybody comes back at once."""

from __future__ import annotations

import contextlib
import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from bench.figures.figure import BODY, ROUNDS, Figure, ratio
from bench.server import Bare, Ours
from bench.swarm import Swarm

CLIENTS = 4000
COUNT = 10  # messages, one after the other
CUTS, CROWD, PORTION = 3, 10_000, 500
MISSED = 5
CHANNEL = "crowd"
# Of the control: as long, about, as a portion.
HANDSHAKES = 250
# Seconds in which the site has been asked about those who have returned.
LATER = 0.5


def workers():
    """4,000 clients of two workers, against one: who has how many, and the CPU of a message in all.

    Beside them, as what the machine itself takes for it: two loops of send at the same time, against one.
    """
    with contextlib.ExitStack() as stack:
        swarms = [stack.enter_context(Swarm()) for _ in range(4)]
        ours = [stack.enter_context(Ours(workers=count)) for count in (1, 2)]
        for server, clients in zip(ours, swarms, strict=False):
            clients.listen(server.port, CLIENTS, "/ws/?channel=bench")
            server.get(f"/publish/?channel=bench&count=1&size={BODY}")
            frame = clients.settle() // CLIENTS
        loops = [[stack.enter_context(Bare()) for _ in range(count)] for count in (1, 2)]
        for some, clients in zip(loops, swarms[2:], strict=True):
            for one in some:
                clients.listen_bare(one.port, CLIENTS // len(some))
        shares = [each["subscribers"] for each in ours[1].statistics()["by_worker"]]
        acts = [
            *((partial(_publish, server), server.cpu_of_all) for server in ours),
            *((partial(_send_at_once, some, frame), partial(_cpu_of, some)) for some in loops),
        ]
        spent = [[] for _ in acts]
        for _ in range(ROUNDS):
            for (act, cpu), clients, costs in zip(acts, swarms, spent, strict=True):
                clients.begin("expect", CLIENTS * COUNT * frame)
                before = cpu()
                act()
                clients.end()
                costs.append((cpu() - before) / COUNT * 1e3)
    share = max(shares) / sum(shares)
    cost = ratio("CPU of a message to 4,000 clients of two workers", 1.15, "ms", spent[1], spent[0])
    machine = statistics.median(two / one for one, two in zip(*spent[2:], strict=True))
    cost.measured += f"; of two of {loops[0][0].loop} beside one: {machine:.2f} x"
    return [
        Figure("the larger share of two workers", "at most 55 %", f"{share:.1%} {shares}", share <= 0.55),
        cost,
    ]


def _publish(server):
    server.get(f"/publish/?channel=bench&count={COUNT}&size={BODY}")


def _send_at_once(loops, size):
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda loop: loop.send(COUNT, size), loops))


def _cpu_of(processes):
    return sum(process.cpu() for process in processes)


def resumes():
    """10,000 clients that are cut at one instant: all back, nothing lost, and what each costs.

    A return is compared with the handshake of a client that has never been here, on the same kind of
    connection (plain WebSocket, a session's cookie) to the same site, and as many at once. Each is measured
    from its first byte until the server is idle again, so that what is asked later about who has returned
    belongs to its return; the end belongs to neither. As an hour on a shared machine differs from the next,
    the crowd comes back in portions, and around each of them others shake hands: it is compared with those
    before and behind it. Of two kinds of sites, one after the other:

    - bare: the least that a handshake can be. No receiver reads the user, so neither session nor user is
      loaded, and it is on no channel. A return is on one, and catches up.
    - with user: the connect receiver reads the user, as in the figure ``handshake``: the session and the user
      come from the database. A handshake is on the channel from its address, as a return is, but has missed
      nothing. The receiver runs at a return as well, and what it reads there is part of the return's cost.
    """
    bare = _returns("/ws/?", "/ws/?", sessions="signed_cookies")
    with_user = _returns("/ws/?user=1&", f"/ws/?user=1&on={CHANNEL}", sessions="db")
    lost, without = bare.lost + with_user.lost, bare.without + with_user.without
    most, limit = max(bare.queries), CROWD // 100
    return [
        Figure(
            f"of {2 * CUTS * CROWD:,} that were cut, not told all that they missed", "0", str(lost), not lost
        ),
        Figure(
            f"database queries of {CROWD:,} that come back, one for all of each moment",
            f"at most {limit}",
            str(most),
            most <= limit,
        ),
        Figure(f"of {2 * CUTS * CROWD:,} without a ticket", "0", str(without), not without),
        ratio("CPU of a return by ticket, to a bare handshake", 0.4, "us", bare.returns, bare.handshakes),
        ratio(
            "the same where the connect receiver reads the user, at both",
            0.4,
            "us",
            with_user.returns,
            with_user.handshakes,
        ),
    ]


@dataclass
class _Found:
    lost: int = 0
    without: int = 0
    queries: list = field(default_factory=list)  # of each cut
    returns: list = field(default_factory=list)  # microseconds of each, of each portion
    handshakes: list = field(default_factory=list)


def _returns(path, handshake, sessions):
    """``path`` is what each comes back to, ``handshake`` how it and others come for the first time."""
    found = _Found()
    with Ours(sessions=sessions) as ours, Swarm() as clients, Swarm() as others:
        _handshakes(ours, others, handshake)  # what is allocated once
        clients.welcome(ours.port, CROWD, ours.cookie, handshake)
        for _ in range(CUTS):
            clients.settle(LATER)  # in which the site has been asked about those who returned
            since = ours.get("/position/").decode()
            found.without += clients.ask_tickets(CHANNEL, since, path)
            clients.leave()
            clients.settle()
            for number in range(MISSED):
                ours.manage("realtime", "publish", CHANNEL, f"missed-{number}")
            queries, before = 0, _handshakes(ours, others, handshake)
            for _ in range(CROWD // PORTION):
                ours.json("/queries/")
                got, cost = _arriving(ours, clients, "resumes", PORTION, MISSED)
                queries += ours.json("/queries/")["queries"]
                found.lost += PORTION - got
                after = _handshakes(ours, others, handshake)
                found.returns.append(cost)
                found.handshakes.append((before + after) / 2)
                before = after
            found.queries.append(queries)
    return found


def _handshakes(ours, others, path):
    """Of so many clients that are new, without their end."""
    _, cost = _arriving(ours, others, "welcome", HANDSHAKES, path)
    others.leave()
    ours.cpu_when_idle()
    return cost


def _arriving(ours, clients, verb, count, *more):
    """What the clients answer, and microseconds of the server for each."""
    before = ours.cpu_when_idle()
    answer = getattr(clients, verb)(ours.port, count, ours.cookie, *more)
    clients.settle(LATER)
    return answer, (ours.cpu_when_idle() - before) / count * 1e6


FIGURES = [workers, resumes]
