"""``make bench``: the figures. ``make bench ARGS="memory shell"`` for some.

``ARGS=peers`` and ``ARGS=websockets`` for tables beside other servers.
``ARGS=floods`` is for all of ``bench/figures/floods.py``.
"""

from __future__ import annotations

import platform
import sys

from bench import peers_table, websocket_peers
from bench.figures import (
    channels,
    cluster,
    deflated,
    delivery,
    floods,
    large_messages,
    leaving,
    passing,
    plain,
    presence,
    rate,
    rooms,
    socketio,
    through_redis,
)

FIGURES = [
    *delivery.FIGURES,
    *plain.FIGURES,
    *rooms.FIGURES,
    *rate.FIGURES,
    *deflated.FIGURES,
    *large_messages.FIGURES,
    *socketio.FIGURES,
    *leaving.FIGURES,
    *channels.FIGURES,
    *presence.FIGURES,
    *through_redis.FIGURES,
    *passing.FIGURES,
    *cluster.FIGURES,
    *floods.FIGURES,
]


def main(names: list[str]) -> int:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    tables = {"peers": peers_table.show, "websockets": websocket_peers.show}
    if len(names) == 1 and names[0] in tables:
        tables[names[0]]()
        return 0
    missed = 0
    for figure in FIGURES:
        if names and figure.__name__ not in names and not ("floods" in names and figure in floods.FIGURES):
            continue
        print(f"  {figure.__name__} ...", end="", flush=True)
        found = figure()
        for result in found if isinstance(found, list) else [found]:
            missed += not result.met
            mark = "yes" if result.met else "NO"
            print(f"\r{result.name:<64} {result.target:<16} {mark:<4} {result.measured}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
