"""Many processes: what a second worker costs, and what it costs when everybody comes back at once."""

from __future__ import annotations

from bench.figures.figure import BODY, ROUNDS, Figure, ratio
from bench.server import Ours
from bench.swarm import Swarm

CLIENTS = 4000
CROWD = 10_000
MISSED = 5
# Of the control; a round of it is as long as what it is compared with would be too long to wait for.
HANDSHAKES = 1000


def workers():
    """4,000 clients of two workers, against one: who has how many, and the CPU of a message in all."""
    count = 10
    with Ours() as one, Ours(workers=2) as two, Swarm() as clients_of_one, Swarm() as clients_of_two:
        for server, clients in ((one, clients_of_one), (two, clients_of_two)):
            clients.listen(server.port, CLIENTS, "/ws/?channel=bench")
        one.get(f"/publish/?channel=bench&count=1&size={BODY}")
        frame = clients_of_one.settle() // CLIENTS
        two.get(f"/publish/?channel=bench&count=1&size={BODY}")
        clients_of_two.settle()
        shares = [each["subscribers"] for each in two.statistics()["by_worker"]]
        cost = {one: [], two: []}
        for _ in range(ROUNDS):
            for server, clients in ((one, clients_of_one), (two, clients_of_two)):
                clients.begin("expect", CLIENTS * count * frame)
                before = server.cpu_of_all()
                server.get(f"/publish/?channel=bench&count={count}&size={BODY}")
                clients.end()
                cost[server].append((server.cpu_of_all() - before) / count * 1e3)
    share = max(shares) / sum(shares)
    split = Figure("the larger share of two workers", "at most 55 %", f"{share:.1%} {shares}", share <= 0.55)
    return [
        split,
        ratio("CPU of a message to 4,000 clients of two workers", 1.15, "ms", cost[two], cost[one]),
    ]


def resumes():
    """10,000 clients that are cut at one instant: all back, nothing lost, and what each costs."""
    with Ours(sessions="signed_cookies") as ours, Swarm() as clients, Swarm() as others:
        others.handshakes(ours.port, HANDSHAKES, "/ws/", ours.cookie)
        handshakes, costs, lost = [], [], 0
        clients.welcome(ours.port, CROWD, ours.cookie)
        for _ in range(3):
            clients.settle(1.0)  # in which the site has been asked about those who returned
            since = ours.get("/position/").decode()
            without = clients.ask_tickets("crowd", since)
            clients.leave()
            clients.settle()
            for number in range(MISSED):
                ours.manage("realtime", "publish", "crowd", f"missed-{number}")
            before = ours.cpu()
            others.handshakes(ours.port, HANDSHAKES, "/ws/", ours.cookie)
            handshakes.append((ours.cpu() - before) / HANDSHAKES * 1e6)
            ours.json("/queries/")
            before = ours.cpu()
            lost += CROWD - clients.resumes(ours.port, CROWD, ours.cookie, MISSED)
            costs.append((ours.cpu() - before) / CROWD * 1e6)
            queries = ours.json("/queries/")["queries"]
    return [
        Figure(
            f"of {3 * CROWD:,} that were cut, not told all of what they missed", "0", str(lost), lost == 0
        ),
        Figure(
            f"database queries of {CROWD:,} that come back, one for all of each moment",
            f"at most {CROWD // 100}",
            str(queries),
            queries <= CROWD // 100,
        ),
        Figure(f"of {CROWD:,} without a ticket", "0", str(without), without == 0),
        ratio("CPU of a return by ticket, against a handshake", 0.4, "us", costs, handshakes),
    ]


FIGURES = [workers, resumes]
