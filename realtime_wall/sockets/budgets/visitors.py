"""Who has which connections open: by address, and by user; and what do they all do together?

An address or a user that has none any more is remembered until its budget is full again: whoever hangs up
and comes back does not begin anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil
from time import monotonic

from realtime_wall.auth.visitor_address import home_of
from realtime_wall.config import Config
from realtime_wall.protocol.rate_limit import rate
from realtime_wall.sockets.budgets.budget import (
    BURST,
    CONNECTS,
    SESSIONS,
    Budget,
    Rates,
    batch_of,
    batches_of_events,
    rates_of,
)

log = logging.getLogger(__name__)

# How often those are forgotten that need not be remembered.
FORGET_EVERY = 10.0
# Seconds that who is refused is to stay away, at the least.
LEAST = 5


class Visitor:
    """An address, or a user."""

    __slots__ = ("budget", "connections", "is_logged", "name")

    def __init__(self, name: str, rates: Rates) -> None:
        self.name = name
        self.budget = Budget(rates)
        self.connections = 0
        self.is_logged = False  # that it was refused


class Visitors:
    def __init__(self, config: Config, user_id_of: Callable[[str], str | None] = lambda key: None) -> None:
        self.due = 0
        self.refused = 0
        self.proxies: set[str] = set()
        self._user_id_of = user_id_of  # by the key of a Django session; None while it is not known
        self.rates = rates_of(config)  # of one connection
        self.batch = batch_of(self.rates)
        self.event_batches = batches_of_events(config.event_rates, self.rates)
        self._user_rates = rates_of(config, config.user_budget) if config.user_budget else {}
        self._address_rates = rates_of(config, config.address_budget) if config.address_budget else {}
        if accepts := config.address_accept_rate:
            one = rate(accepts, accepts * BURST)
            self._address_rates |= {CONNECTS: one, SESSIONS: one}
        self._per_user, self._per_address = config.user_connections, config.address_connections
        self._addresses: dict[str, Visitor] = {}
        self._users: dict[str, Visitor] = {}

    def at(self, address: str) -> Visitor | None:
        """None for an address that nobody knows."""
        if not address:
            return None
        visitor = self._addresses.get(address)
        if visitor is None:
            visitor = self._addresses[address] = Visitor(address, self._address_rates)
        return visitor

    def speaks_for_others(self, peer: str) -> None:
        """A proxy that nobody has named, or that does not say for whom: each of its visitors is another."""
        if peer not in self.proxies:
            self.proxies.add(peer)
            self._addresses.pop(home_of(peer), None)  # what has been counted is its visitors'
            log.warning("%s is a proxy and does not, or may not, say for whom: see TRUSTED_PROXIES", peer)

    def user_of(self, session_key: str) -> Visitor | None:
        """Whose session it is, once that is known: it takes a moment after its first connection."""
        user_id = self._user_id_of(session_key)
        if user_id is None:
            return None
        visitor = self._users.get(user_id)
        if visitor is None:
            visitor = self._users[user_id] = Visitor(f"user {user_id}", self._user_rates)
        return visitor

    # Who may not come in: each says in how many seconds he may come again, 0 for now

    def refuse_connection(self, visitor: Visitor) -> int:
        """Asked when it is accepted, before anything was read of it."""
        now = monotonic()
        if visitor.budget.debt(now, CONNECTS) > 0:
            return self._refuse(visitor, CONNECTS, now)
        visitor.budget.take({CONNECTS: 1}, now)
        return self._refuse_beyond(visitor, "ADDRESS_CONNECTIONS", self._per_address, now)

    def refuse_client(self, address: str, session_key: str | None, is_session: bool = False) -> int:
        """Asked in the handshake; a session is one that needs no connection for itself."""
        now = monotonic()
        home = self.at(address)
        user = None if session_key is None else self.user_of(session_key)
        for visitor, name, most in (
            (home, "ADDRESS_CONNECTIONS", self._per_address),
            (user, "USER_CONNECTIONS", self._per_user),
        ):
            if visitor is None:
                continue
            if seconds := self._refuse_beyond(visitor, name, most, now):
                return seconds
            if owed := visitor.budget.owed(now):
                return self._refuse(visitor, owed, now)
        if is_session and home is not None:
            home.budget.take({SESSIONS: 1}, now)
        return 0

    def _refuse_beyond(self, visitor: Visitor, name: str, most: int, now: float) -> int:
        return self._refuse(visitor, name, now) if most and visitor.connections >= most else 0

    def _refuse(self, visitor: Visitor, name: str, now: float) -> int:
        self.refused += 1
        if not visitor.is_logged:
            visitor.is_logged = True
            log.warning("%s: no more connections for now (%s)", visitor.name, name)
        return max(ceil(visitor.budget.debt(now)), LEAST)

    # As the timer wheel's

    def tick(self, now: float) -> float:
        for visitors in (self._addresses, self._users):
            for key, visitor in list(visitors.items()):
                visitor.is_logged = False
                if visitor.connections <= 0 and visitor.budget.is_full(now):
                    del visitors[key]
        return FORGET_EVERY
