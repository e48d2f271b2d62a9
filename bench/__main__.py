"""``make bench``: the figures. ``make bench ARGS="memory shell"`` for some.

``ARGS=peers`` and ``ARGS=websockets`` for tables beside other servers.
``ARGS=floods`` is for all of ``bench/figures/floods.py``.
"""

from __future__ import annotations

import itertools
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
    stalls,
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
    *stalls.FIGURES,
]


def main(names: list[str]) -> int:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    tables = {"peers": peers_table.show, "websockets": websocket_peers.show}
    known = {figure.__name__: [figure] for figure in FIGURES} | {"floods": floods.FIGURES}
    if unknown := set(names) - tables.keys() - known.keys():
        print(f"There is no figure {sorted(unknown)}, but {sorted(known)} and {sorted(tables)}.")
        return 2
    for name in [name for name in names if name in tables]:
        tables[name]()
    missed = 0
    for figure in itertools.chain(*(known.get(name, []) for name in names)) if names else FIGURES:
        print(f"  {figure.__name__} ...", end="", flush=True)
        found = figure()
        for result in found if isinstance(found, list) else [found]:
            missed += not result.met
            mark = "yes" if result.met else "NO"
            print(f"\r{result.name:<64} {result.target:<16} {mark:<4} {result.measured}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
