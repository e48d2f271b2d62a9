"""Tests of a site's live part: clients in the process of the tests, a clock to move, a server for browsers.

docs/howto/testing.rst shows how. Names are handed out when they are asked for: pytest's plug-in is in this
folder, and is loaded before Django is set up.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime_wall.testing.cases import RealtimeLiveServerTestCase as RealtimeLiveServerTestCase
    from realtime_wall.testing.cases import RealtimeMixin as RealtimeMixin
    from realtime_wall.testing.cases import RealtimeTestCase as RealtimeTestCase
    from realtime_wall.testing.cases import RealtimeTransactionTestCase as RealtimeTransactionTestCase
    from realtime_wall.testing.client import ConnectRefused as ConnectRefused
    from realtime_wall.testing.client import RealtimeClient as RealtimeClient
    from realtime_wall.testing.client import Received as Received
    from realtime_wall.testing.in_process import Realtime as Realtime
    from realtime_wall.testing.network import Network as Network

_HOMES = {
    "realtime_wall.testing.cases": (
        "RealtimeLiveServerTestCase",
        "RealtimeMixin",
        "RealtimeTestCase",
        "RealtimeTransactionTestCase",
    ),
    "realtime_wall.testing.client": ("ConnectRefused", "RealtimeClient", "Received"),
    "realtime_wall.testing.in_process": ("Realtime",),
    "realtime_wall.testing.network": ("Network",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
