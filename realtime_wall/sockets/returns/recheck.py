"""Would the site let in who has just returned by a ticket?

It is asked soon after, off the road, about all that returned meanwhile at once: is the session still there,
is its user active and who it was, with the same password? Where more than that decides (AUTHORIZE, middleware
that nobody knows) the request goes through the site then. Last, the rules of the channels are asked again.
Who would not have been let in is closed. Until all this is done a client is given no new ticket.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

import gevent

from realtime_wall.auth import django_sessions, lazy_request
from realtime_wall.auth.django_sessions import SessionUser
from realtime_wall.auth.lazy_request import LazyRequest
from realtime_wall.auth.return_ticket import LATER, Ticket
from realtime_wall.brokers.commands import LOGGED_OUT
from realtime_wall.errors import Refuse
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.dispatch.receivers import release_database
from realtime_wall.sockets.returns.tickets import Tickets
from realtime_wall.sockets.revocation.session_expiry import Sessions
from realtime_wall.wire.time_slice import TimeSlice
from realtime_wall.wire.timer_wheel import TimerWheel

log = logging.getLogger(__name__)

# Seconds: what returns meanwhile shares its queries.
SOON = 0.3
# How long a database that could not be asked is left alone.
RETRY = 2.0


class Recheck:
    def __init__(
        self, timer_wheel: TimerWheel, sessions: Sessions, tickets: Tickets, asks_site: bool
    ) -> None:
        self.due = 0
        self._timer_wheel = timer_wheel
        self._sessions = sessions
        self._tickets = tickets
        self._asks_site = asks_site  # about everybody: there is an AUTHORIZE
        self._pending: list[ClientSession] = []
        self._is_looking = False

    def add(self, session: ClientSession) -> None:
        """Its ``ticket`` goes when it is settled."""
        if not self._pending and not self._is_looking:
            self._timer_wheel.schedule(self, SOON)
        self._pending.append(session)

    def tick(self, now: float) -> None:
        if not self._is_looking and self._pending:
            self._is_looking = True
            gevent.spawn(self._look)  # a store is asked in a greenlet, not on the event loop

    def _look(self) -> None:
        pending, self._pending = self._pending, []
        delay = SOON
        try:
            keys = {_key_of(one) for one in pending} - {None}
            accounts = django_sessions.accounts_of([key for key in keys if key is not None])
            self._sessions.learn({key: one.session for key, one in accounts.items()})
            time_slice = TimeSlice()
            for session in pending:
                self._settle(session, accounts)
                time_slice.yield_if_due()
        except Exception:
            log.exception("who has returned by a ticket could not be asked about")
            self._pending = [one for one in pending if one.ticket is not None] + self._pending
            delay = RETRY
        finally:
            release_database()
            self._is_looking = False
            if self._pending:
                self._timer_wheel.schedule(self, delay)

    def _settle(self, session: ClientSession, accounts: Mapping[str, SessionUser]) -> None:
        ticket, key = session.ticket, _key_of(session)
        if ticket is None or session.is_disconnected:
            return
        account = None if key is None else accounts.get(key)
        if self._is_over(ticket, account):
            session.transport.close(LOGGED_OUT, "signed out")
            return
        # A key that the store does not have: a cookie from long ago, or a session that has ended since.
        is_unknown = key is not None and account is None
        if self._asks_site or is_unknown or LATER in ticket.flags:
            session.inbox.put(partial(_ask_site, session))
        elif self._tickets.guarded(session):
            session.inbox.put(partial(_ask_rules, session, account))
        else:
            session.ticket = None

    def _is_over(self, ticket: Ticket, account: SessionUser | None) -> bool:
        if account is None:
            return bool(ticket.user)
        return not account.is_good or not self._tickets.is_of(
            ticket, account.session.user_id, account.session.password
        )


def _key_of(session: ClientSession) -> str | None:
    return django_sessions.session_key_of(session.request)


def _ask_site(session: ClientSession) -> None:
    try:
        lazy_request.made(session.request)
    except Refuse:
        return  # it was closed
    _ask_rules(session, None)


def _ask_rules(session: ClientSession, account: SessionUser | None) -> None:
    """In its inbox, behind what it has subscribed to since it is back."""
    request, ticket = session.request, session.ticket
    is_lent = isinstance(request, LazyRequest) and lazy_request.if_made(request) is None
    if ticket is None or session.is_disconnected:
        return
    try:
        if is_lent and account is not None:
            request.user = account.user
        for channel in session.channels:
            if not session.may_still_read(channel):
                session.expel(channel)
    except Refuse:
        return
    finally:
        if is_lent:
            request.__dict__.pop("user", None)
    session.ticket = None
