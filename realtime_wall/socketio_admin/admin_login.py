"""Who may look at the site by Socket.IO's admin page, and who may do something to it?

The staff: who may view, or change, the live site of ``realtime_wall.monitor``, signed in by a cookie or by
the page's form. And whoever has the name and the password of the settings, if there are any.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import check_password
from django.core import signing
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from realtime_wall.api import run_in_threadpool, visitor_address
from realtime_wall.socketio_admin.admin_options import BCRYPT, AdminOptions
from realtime_wall.socketio_admin.password_attempts import MOST, attempts

log = logging.getLogger(__name__)

SALT = "realtime_wall.socketio_admin"
VIEW, CHANGE = "realtime_wall_monitor.view_livesite", "realtime_wall_monitor.change_livesite"
# Seconds that the page may come back without a password.
SESSION_AGE = 24 * 60 * 60
# Of what the page sends; bcrypt looks at no more than 72.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Viewer:
    name: str
    may_change: bool
    session_id: str = ""  # the page is told, to come back with it


def admit(options: AdminOptions, request: HttpRequest, auth: Any) -> Viewer | None:
    """None for whoever may not look. A password takes time, and is looked at in a thread."""
    given = (
        {key: value for key, value in auth.items() if isinstance(value, str)}
        if isinstance(auth, dict)
        else {}
    )
    name, password = given.get("username", ""), given.get("password", "")
    viewer = _user(options, getattr(request, "user", None)) or _by_session(
        options, given.get("sessionId", "")
    )
    address = visitor_address(request, network=True)
    if viewer is not None or not name or not password or len(name + password) > LONGEST:
        return viewer
    if not attempts.begin(address):
        log.warning("%s has tried %d passwords within a minute: no other is looked at", address, MOST)
        return None
    viewer = run_in_threadpool(lambda: _by_password(options, request, name, password))
    if viewer is not None:
        attempts.succeeded(address)
    return viewer


def _user(options: AdminOptions, user: Any, session: bool = False) -> Viewer | None:
    if user is None or not user.is_active or not user.is_staff or not user.has_perm(VIEW):
        return None
    token = _token("user", f"{user.pk}:{_stamp(user.get_session_auth_hash())}") if session else ""
    return Viewer(f"{user.get_username()!r}", user.has_perm(CHANGE) and not options.readonly, token)


def _by_password(options: AdminOptions, request: HttpRequest, name: str, password: str) -> Viewer | None:
    if (
        options.username
        and constant_time_compare(name, options.username)
        and _fits(password, options.password)
    ):
        return Viewer("SOCKETIO_ADMIN", not options.readonly, _token("settings", _stamp(options.password)))
    if not apps.is_installed("django.contrib.auth"):
        return None
    return _user(options, authenticate(request, username=name, password=password), session=True)


def _fits(password: str, hashed: str) -> bool:
    if not hashed.startswith(BCRYPT):
        return check_password(password, hashed)
    import bcrypt  # of an extra

    try:
        return bcrypt.checkpw(password.encode(), hashed.encode())
    except ValueError:  # longer than it can be, or no hash
        return False


# To come back


def _token(kind: str, whose: str) -> str:
    return signing.dumps([kind, whose], salt=SALT)


def _stamp(secret: str) -> str:
    """Another one when the password is another one."""
    return salted_hmac(SALT, secret, algorithm="sha256").hexdigest()[:32]


def _by_session(options: AdminOptions, token: str) -> Viewer | None:
    if not token or len(token) > LONGEST:
        return None
    try:
        kind, whose = signing.loads(token, salt=SALT, max_age=SESSION_AGE)
    except (signing.BadSignature, ValueError):
        return None
    if kind == "settings":
        is_same = options.password and constant_time_compare(whose, _stamp(options.password))
        return Viewer("SOCKETIO_ADMIN", not options.readonly) if is_same else None
    if not apps.is_installed("django.contrib.auth"):
        return None
    key, _, stamp = whose.rpartition(":")
    user = get_user_model()._default_manager.filter(pk=key).first()
    if user is None or not constant_time_compare(stamp, _stamp(user.get_session_auth_hash())):
        return None
    return _user(options, user)
