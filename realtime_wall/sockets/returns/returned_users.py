"""Who is the user of a client that has just returned, when a receiver asks before the recheck has?

Where only Django's own middleware would be met on the way, it is whom the session store says, and the site is
not asked. All who ask within a moment share two queries: a crowd comes back at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import copy
from functools import cached_property, partial
from typing import Any

import gevent
from gevent.event import AsyncResult

from realtime_wall.auth import django_sessions, middleware_at_returns
from realtime_wall.auth.django_sessions import SessionUser
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.dispatch.receivers import release_database
from realtime_wall.sockets.returns.tickets import Tickets

log = logging.getLogger(__name__)

# Seconds in which others may ask, too.
MOMENT = 0.005


class ReturnedUsers:
    def __init__(self, tickets: Tickets, asks_site: bool, may_wait: Callable[[], bool]) -> None:
        self._tickets = tickets
        self._asks_site = asks_site  # about everybody: there is an AUTHORIZE
        self._may_wait = may_wait  # whether this is a greenlet of this server
        self._waiting: dict[str, AsyncResult[SessionUser | None]] = {}
        self._is_looking = False

    @cached_property
    def _are_by_session(self) -> bool:
        return not self._asks_site and middleware_at_returns.are_users_by_session()

    def reader(self, session: ClientSession) -> Callable[[], Any] | None:
        """For its request; None where more than the session decides, or nobody knows whose that was."""
        ticket = session.ticket
        if ticket is None or ticket.flags or not ticket.user or not self._are_by_session:
            return None
        return partial(self._read, session)

    def _read(self, session: ClientSession) -> Any:
        """None where the site has to be asked: whose ticket it was is somebody else by now, or out."""
        ticket, key = session.ticket, django_sessions.session_key_of(session.request)
        if ticket is None or key is None or not self._may_wait():
            return None
        account = self._account(key)
        if account is None or not account.is_good:
            return None
        is_same = self._tickets.is_of(ticket, account.session.user_id, account.session.password)
        return copy(account.user) if is_same else None  # of one session others may ask at the same time

    def _account(self, key: str) -> SessionUser | None:
        result = self._waiting.get(key)
        if result is None:
            result = self._waiting[key] = AsyncResult()
            if not self._is_looking:
                self._is_looking = True
                gevent.spawn(self._look)
        return result.get()

    def _look(self) -> None:
        """As long as somebody asks: to open a database takes longer than to ask it."""
        try:
            gevent.sleep(MOMENT)
            while self._waiting:
                self._answer()
                gevent.sleep(MOMENT)
        finally:
            self._is_looking = False
            release_database()

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, {}
        found: dict[str, SessionUser] = {}
        try:
            found = django_sessions.accounts_of(waiting)
        except Exception:
            log.exception("the users of clients that have returned could not be read: the site is asked")
            release_database()  # another connection may do
        finally:
            for key, result in waiting.items():
                result.set(found.get(key))
