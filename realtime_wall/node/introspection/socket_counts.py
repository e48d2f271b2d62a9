"""How many sockets are in which namespace here, and how many of them poll?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.socket import Socket
from realtime_wall.wire.time_slice import SLICE, TimeSlice

SOCKETS_PER_LOOK = 256  # at the clock


def in_slices(clients: Iterable[Socket]) -> Iterator[Socket]:
    """A look at fifty thousand takes longer than others should wait."""
    time_slice = TimeSlice(SLICE)
    for number, client in enumerate(clients):
        if number % SOCKETS_PER_LOOK == 0:
            time_slice.yield_if_due()
        yield client


def socket_counts() -> dict[str, Any]:
    namespaces: Counter[str] = Counter()
    polling = 0
    for client in in_slices(connected_sockets):
        namespaces[client.namespace] += 1
        polling += session_of(client).transport.kind == "polling"
    return {"namespaces": dict(namespaces), "polling": polling}
