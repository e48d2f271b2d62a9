"""Who is behind a socket? Asked when somebody has left, not when everybody arrives.

A handshake costs no query for this: the session's key comes with its cookie, and whose session it is
stands in the session store, which is asked about all sockets at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils import timezone

# SQLite takes no more variables in a query than this, by default.
CHUNK = 500


def session_key_of(request: HttpRequest) -> str | None:
    """The key of the Django session that a handshake came with."""
    return getattr(getattr(request, "session", None), "session_key", None)


def users_of(session_keys: Iterable[str]) -> dict[str, str | None]:
    """Whose each session is: a primary key, or None for nobody's. A session that has ended is left out."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):  # no table: a cache, files, the cookie itself
        return {key: store(key).get(SESSION_KEY) for key in session_keys}
    alive = store.get_model_class().objects.filter(expire_date__gt=timezone.now())
    found: dict[str, Any] = {}
    keys = iter(session_keys)
    while chunk := list(islice(keys, CHUNK)):
        for row in alive.filter(session_key__in=chunk):
            found[row.session_key] = row.get_decoded().get(SESSION_KEY)
    return found
