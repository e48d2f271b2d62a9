"""The WebSocket and Socket.IO sockets that are connected to this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime_wall.sockets.socket import Socket


class ConnectedSockets:
    """A collection of sockets; iterating sees a snapshot, so sockets may come and go meanwhile."""

    def __init__(self) -> None:
        self._by_id: dict[str, Socket] = {}

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, socket: object) -> bool:
        return getattr(socket, "id", None) in self._by_id

    def get(self, session_id: str) -> Socket | None:
        return self._by_id.get(session_id)

    def add(self, socket: Socket) -> None:
        self._by_id[socket.id] = socket

    def remove(self, socket: Socket) -> None:
        self._by_id.pop(socket.id, None)

    def __repr__(self) -> str:
        return f"<{len(self)} connected sockets>"


connected_sockets = ConnectedSockets()
