"""Which sessions have ended by themselves? Nobody notifies us: the session store has to be asked.

When a session ends stands beside it in the database. So it is asked about soon after its first socket has
come, and again when that moment has come, because it may have been prolonged. All that is to be asked at
one moment shares a query, and while nobody comes and nothing ends there is none. Once a minute everything
is asked about: that finds what was deleted behind our back, and what a store without a table (a cache,
files, signed cookies) cannot foretell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from heapq import heapify, heappop, heappush
from time import monotonic, time

import gevent
from django.http import HttpRequest

from realtime_wall.auth import django_sessions
from realtime_wall.auth.django_sessions import DjangoSession
from realtime_wall.sockets.dispatch.receivers import release_database
from realtime_wall.wire.timer_wheel import TimerWheel

log = logging.getLogger(__name__)

LOOK = 0.5
EVERYTHING = 60.0
# How long a store that could not be asked is left alone.
RETRY = 5.0


class Sessions:
    """The sessions of Django's that the sockets of this process came with."""

    def __init__(
        self,
        timer_wheel: TimerWheel,
        present: Callable[[], Collection[str]],
        cut: Callable[[Collection[str]], object],
    ) -> None:
        self.due = 0
        self._timer_wheel = timer_wheel
        self._present = present  # the keys that sockets have now
        self._cut = cut
        self._new: dict[str, HttpRequest] = {}
        self._known: dict[str, DjangoSession] = {}
        self._ends: list[tuple[float, str]] = []  # a heap; what it says may have changed since
        self._everything_at = 0.0
        self._is_looking = False

    def start(self) -> None:
        self._everything_at = monotonic() + EVERYTHING
        self._timer_wheel.schedule(self, LOOK)

    def arrived(self, request: HttpRequest) -> None:
        key = django_sessions.session_key_of(request)
        if key is not None and key not in self._known:
            self._new[key] = request

    def users_of(self, keys: Collection[str]) -> dict[str, str | None]:
        """Whose each session is, or was: of most that is known, and the others are asked about at once.

        A session that was never there (a forged cookie, or one from long ago) is left out.
        """
        strangers = [key for key in keys if key not in self._known]
        asked = django_sessions.sessions_of(strangers) if strangers else {}
        found = {key: self._known.get(key) or asked.get(key) for key in keys}
        return {key: session.user_id for key, session in found.items() if session is not None}

    def user_id_of(self, key: str) -> str | None:
        """Whose it is known to be; of who has only just come, the next look finds it."""
        known = self._known.get(key)
        return None if known is None else known.user_id

    def known(self, key: str) -> DjangoSession | None:
        return self._known.get(key)

    def learn(self, found: Mapping[str, DjangoSession]) -> None:
        """Somebody else has asked about them."""
        for key, session in found.items():
            self._new.pop(key, None)
            self._keep(key, session)

    def _keep(self, key: str, session: DjangoSession) -> None:
        self._known[key] = session
        if session.ends is not None:
            heappush(self._ends, (session.ends, key))

    def is_somebodys(self, key: str) -> bool:
        return self.user_id_of(key) is not None

    def tick(self, now: float) -> float | None:
        if not self._is_looking and (due := self._take_due(now)):
            self._is_looking = True
            gevent.spawn(self._look, due)  # a store is asked in a greenlet, not on the event loop
        return LOOK

    def _take_due(self, now: float) -> set[str]:
        if now >= self._everything_at:
            self._everything_at = now + EVERYTHING
            return self._take_all()
        due = set(self._new)
        present_time = time()
        while self._ends and self._ends[0][0] <= present_time:
            due.add(heappop(self._ends)[1])
        return due

    def _take_all(self) -> set[str]:
        present = set(self._present())
        self._known = {key: session for key, session in self._known.items() if key in present}
        # Each is put back when it was asked about.
        self._ends = []
        return present

    def _look(self, due: set[str]) -> None:
        new = {key: self._new.pop(key) for key in due if key in self._new}
        try:
            ended = self._judge(due, new, django_sessions.sessions_of(due))
            if ended:
                self._cut(ended)
        except Exception:
            log.exception("the session store could not be asked which sessions have ended")
            self._new.update(new)
            self._remember_ends()
            self._everything_at = monotonic() + RETRY
        finally:
            release_database()
            self._is_looking = False

    def _judge(self, due: set[str], new: dict[str, HttpRequest], alive: dict[str, DjangoSession]) -> set[str]:
        """Keep what is alive; which of the others have sockets that rest on them."""
        ended: set[str] = set()
        for key in due:
            session, before = alive.get(key), self._known.pop(key, None)
            if session is not None:
                self._keep(key, session)
            elif before is not None:
                # Before its time a session of nobody's is only given another key: at a login.
                if before.user_id is not None or (before.ends is not None and before.ends <= time()):
                    ended.add(key)
            elif key in new and django_sessions.has_read_session(new[key], key):
                ended.add(key)  # it was there at the handshake
        return ended

    def _remember_ends(self) -> None:
        self._ends = [(one.ends, key) for key, one in self._known.items() if one.ends is not None]
        heapify(self._ends)
