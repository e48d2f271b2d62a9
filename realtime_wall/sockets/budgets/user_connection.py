"""Is this connection one of a user's?

It is counted among them once it is known whose session it came with: that takes a moment, as the database is
asked about many at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime_wall.sockets.budgets.visitors import Visitor, Visitors


class UserConnection:
    __slots__ = ("_session_key", "_user", "_visitors")

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self._user: Visitor | None = None
        self._session_key: str | None = None  # of Django's, until its user is known

    def belongs_to(self, session_key: str | None) -> None:
        """Of Django's; it may be said again, by each namespace that is connected to."""
        if self._user is None:
            self._session_key = session_key
            self.find_user()

    def find_user(self) -> None:
        """To be called now and then, for who is silent too."""
        if self._session_key is None:
            return
        self._user = self._visitors.user_of(self._session_key)
        if self._user is not None:
            self._session_key = None
            self._user.connections += 1

    def close(self) -> None:
        """The client is gone."""
        self._session_key = None
        if self._user is not None:
            self._user.connections -= 1
            self._user = None
