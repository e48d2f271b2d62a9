"""Is this server well? What a load balancer, or whoever looks after the server, is answered.

The status decides whether a load balancer sends clients here: 200 while the server takes connections, 503
while it stops or is none. The rest is for people: a pool without a free place makes every receiver wait.
"""

from __future__ import annotations

from typing import Any

from realtime_wall.node import node as nodes
from realtime_wall.node.node import Node
from realtime_wall.sockets.registry import connected_sockets

# As a load balancer understands them.
HEALTHY, UNAVAILABLE = 200, 503


def state() -> tuple[int, dict[str, Any]]:
    """An HTTP status, and what is said with it."""
    node = nodes.current()
    if node is None:
        return UNAVAILABLE, {"status": "no live server", "sockets": 0}
    status, word = (UNAVAILABLE, "stopping") if node.stopping else (HEALTHY, "ok")
    return status, {"status": word, "sockets": len(connected_sockets), "receivers": _receivers(node)}


def _receivers(node: Node) -> dict[str, int]:
    """How many sockets have one running, how many may, how many wait for a place, and which do not return."""
    pool, stuck = node.pool, node.stuck_receivers.count
    return {"running": pool.busy, "places": pool.size, "waiting": pool.waiting, "stuck": stuck}
