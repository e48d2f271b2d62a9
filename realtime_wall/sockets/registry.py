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
        # Of those that came back as somebody new: by the id that each had before.
        self._by_earlier_id: dict[str, list[Socket]] = {}

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, socket: object) -> bool:
        return getattr(socket, "id", None) in self._by_id

    def get(self, session_id: str) -> Socket | None:
        return self._by_id.get(session_id)

    def known_as(self, session_id: str) -> list[Socket]:
        """Those whose present or earlier id it is."""
        socket, others = self._by_id.get(session_id), self._by_earlier_id.get(session_id, [])
        return others if socket is None else [socket, *others]

    def add(self, socket: Socket, earlier_id: str | None = None) -> None:
        self._by_id[socket.id] = socket
        if earlier_id is not None:
            self._by_earlier_id.setdefault(earlier_id, []).append(socket)

    def remove(self, socket: Socket, earlier_id: str | None = None) -> None:
        self._by_id.pop(socket.id, None)
        others = self._by_earlier_id.get(earlier_id or "", [])
        if socket in others:
            others.remove(socket)
            if not others:
                del self._by_earlier_id[earlier_id or ""]

    def __repr__(self) -> str:
        return f"<{len(self)} connected sockets>"


connected_sockets = ConnectedSockets()
