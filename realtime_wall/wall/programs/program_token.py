"""Which program is asking, and what may it do? It says so with a token that only itself knows.

A token is long and random, so its SHA-256 is as good as any slower hash; whoever reads the database learns no
token from it.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from realtime_wall.wall.moderation.rights import ALL
from realtime_wall.wall.programs.program_tables import ApiToken

PREFIX = "rwt_"  # so that a token is known as one wherever it is found
SPAN, MOST = 60, 600  # seconds, requests
SEEN_EVERY = timedelta(minutes=10)
DECIDES = frozenset({"approve", "hide", "dump", "undo", "confirm"})
BANS = frozenset({"ban", "unban"})
PINS = frozenset({"pin"})


@dataclass(frozen=True, slots=True)
class Program:
    """In the place of a user, where moderators act."""

    token: ApiToken

    def get_username(self) -> str:
        return f"{self.token.name} (API)"

    def has_perm(self, permission: str) -> bool:
        return permission == ALL and self.token.wall_id is None

    def may(self, action: str) -> bool:
        rights = (
            (DECIDES, self.token.may_decide),
            (BANS, self.token.may_ban),
            (PINS, self.token.may_pin),
        )
        return any(is_given and action in actions for actions, is_given in rights)


def make_token() -> tuple[str, str]:
    """A new one, and what is kept of it."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def program_of(request: HttpRequest) -> Program | None:
    """Who asks; None for nobody whom we know, or know any longer."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given.startswith(PREFIX) or len(given) > 100:
        return None
    token = ApiToken.objects.filter(digest=digest_of(given), revoked=None).first()
    return Program(token) if token else None


def note_seen(program: Program) -> None:
    """Once in a while: whoever looks after tokens finds those that nobody uses."""
    token, now = program.token, timezone.now()
    if token.seen is None or token.seen < now - SEEN_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(seen=now)


def asks_too_often(program: Program) -> bool:
    key = f"realtime_wall.api.{program.token.pk}.{int(time.time() // SPAN)}"
    cache.add(key, 0, 2 * SPAN)
    try:
        return int(cache.incr(key)) > MOST
    except ValueError:  # it was put out of a full cache between the two
        return False
