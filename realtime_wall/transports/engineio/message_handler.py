"""What does an Engine.IO session ask of whoever speaks inside its messages?"""

from __future__ import annotations

from typing import Protocol


class MessageHandler(Protocol):
    """Who speaks inside the messages. Called on the event loop or in a request: it must not block."""

    def message(self, data: str | bytes) -> None: ...

    def session_closed(self, reason: str) -> None:
        """Called once."""

    def is_busy(self) -> bool:
        """Whether it is not read from at the moment, so that its silence proves nothing."""

    @property
    def deadline(self) -> float | None:
        """Until when it has to send what it owes us: its name, or the rest of a packet."""


class Nobody:
    """The handler of a session that has not begun, or is over."""

    deadline = None

    def message(self, data: str | bytes) -> None: ...
    def session_closed(self, reason: str) -> None: ...
    def is_busy(self) -> bool:
        return False


NOBODY = Nobody()
