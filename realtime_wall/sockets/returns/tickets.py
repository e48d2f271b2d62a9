"""Which tickets does this server give to its clients, and which does it take?

It remembers whose are not good any more for as long as they could be: who has signed out, whose password or
rights have changed, which client has returned already or was closed for good. A server that has just started
remembers nothing; ``recheck.py`` finds out what it could not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from time import monotonic, time
from typing import Any, cast

from realtime_wall.auth import middleware_at_returns, return_ticket
from realtime_wall.auth.django_sessions import session_key_of
from realtime_wall.auth.middleware_at_returns import ALWAYS, NEVER
from realtime_wall.auth.return_ticket import SKEW, BadTicket, Ticket, TicketSigner, bound_to
from realtime_wall.config import Config
from realtime_wall.sockets.budgets.visitors import Visitor
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.revocation.session_expiry import Sessions
from realtime_wall.wire.timer_wheel import TimerWheel

FORGET_EVERY = 10.0
# In place of a user's mark.
EVERYBODY, SOMEBODY = "everybody", "somebody"


class Tickets:
    def __init__(self, config: Config, timer_wheel: TimerWheel, sessions: Sessions) -> None:
        self.due = 0
        self.taken = 0
        self.not_taken = 0
        self._age = config.ticket_age
        self._signer = TicketSigner.of_site(config)
        self._timer_wheel = timer_wheel
        self._sessions = sessions
        # What is not good any more, since when and until when. Of visits there is one for each return; users
        # and sessions are few, and need not be looked for where there is none.
        self._revoked: dict[str, dict[str, tuple[float, float]]] = {"client": {}, "session": {}, "user": {}}

    @cached_property
    def are_given(self) -> bool:
        return self._age > 0 and self._at_returns != ALWAYS

    @cached_property
    def _at_returns(self) -> str:
        return middleware_at_returns.at_returns()

    def issue_to(self, session: ClientSession, home: object, flags: str) -> str | None:
        """For a client with an address; who has just returned by one is asked about first."""
        if session.ticket is not None or session.is_refused:
            return None
        address = "" if home is None else cast(Visitor, home).name
        requested, request = session.requested or {}, session.request
        channels = tuple(name for name in self.guarded(session) if requested[name] is None)
        return self.issue(request.META, address, session.id, session_key_of(request), flags, channels)

    @staticmethod
    def guarded(session: ClientSession) -> list[str]:
        """The channels that its client asked for and not everybody may hear: another rule costs nothing."""
        rules = session.node.rules
        return [name for name in session.requested or () if rules.of(name).read not in (True, "all")]

    def issue(
        self,
        meta: Mapping[str, Any],
        address: str,
        earlier_id: str,
        session_key: str | None,
        flags: str,
        channels: tuple[str, ...],
    ) -> str | None:
        if not self.are_given:
            return None
        if self._at_returns != NEVER and return_ticket.LATER not in flags:
            flags += return_ticket.LATER
        user, password = self._marks(session_key)
        ticket = Ticket(int(time()), flags, user, password, channels)
        return self._signer.sign(ticket, bound_to(meta, address, earlier_id))

    def _marks(self, session_key: str | None) -> tuple[str, str]:
        known = None if session_key is None else self._sessions.known(session_key)
        if known is None or known.user_id is None:
            return "", ""
        return self._signer.marks("user", known.user_id)[0], self._signer.marks("password", known.password)[0]

    # Returns

    def check(
        self, text: str, meta: Mapping[str, Any], address: str, earlier_id: str, session_key: str | None
    ) -> Ticket | None:
        """The ticket, if its bearer may return by it; it may be asked again."""
        if not self.are_given:
            return None
        try:
            ticket = self._signer.read(text, bound_to(meta, address, earlier_id), time())
        except BadTicket:
            ticket = None
        if ticket is None or self._is_revoked(ticket, earlier_id, session_key):
            self.not_taken += 1
            return None
        return ticket

    def take(self, earlier_id: str) -> None:
        """It was good for one return."""
        self.taken += 1
        self.revoke_return(earlier_id)

    def _is_revoked(self, ticket: Ticket, earlier_id: str, session_key: str | None) -> bool:
        sessions, users = self._revoked["session"], self._revoked["user"]
        if earlier_id in self._revoked["client"]:
            return True
        if sessions and session_key is not None and _hashed(session_key) in sessions:
            return True
        # Whose it is nobody may have known when it was issued.
        for user in (EVERYBODY, ticket.user or SOMEBODY) if users else ():
            since, _ = users.get(user, (0.0, 0.0))
            if ticket.issued <= since + SKEW:
                return True
        return False

    def is_of(self, ticket: Ticket, user_id: str | None, password: str) -> bool:
        """Whether that user, with that password, is the one of the ticket; nobody may have known it then."""
        if not ticket.user:
            return True
        return ticket.user in self._signer.marks("user", user_id or "") and ticket.password in (
            self._signer.marks("password", password)
        )

    # Revocation

    def revoke_return(self, earlier_id: str) -> None:
        self._revoke("client", earlier_id)

    def revoke_session(self, session_key: str) -> None:
        self._revoke("session", _hashed(session_key))

    def revoke_user(self, user_id: str | None) -> None:
        """None for all users."""
        if user_id is None:
            self._revoke("user", EVERYBODY)
            return
        for mark in (*self._signer.marks("user", user_id), SOMEBODY):
            self._revoke("user", mark)

    def _revoke(self, kind: str, value: str) -> None:
        if not self.are_given:
            return
        if not any(self._revoked.values()):
            self._timer_wheel.schedule(self, FORGET_EVERY)
        self._revoked[kind][value] = time(), monotonic() + self._age + 2 * SKEW

    # As the timer wheel's

    def tick(self, now: float) -> float | None:
        for kind, revoked in self._revoked.items():
            self._revoked[kind] = {what: times for what, times in revoked.items() if times[1] > now}
        return FORGET_EVERY if any(self._revoked.values()) else None


def _hashed(session_key: str) -> str:
    return sha256(session_key.encode(errors="surrogateescape")).hexdigest()
