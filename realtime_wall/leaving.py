"""A user who leaves is cut: logout, a new password, deactivation or deletion end the user's sockets.

Django tells it by signals, in whatever process it happens; the servers are told after the transaction
that did it, and close what belonged to that session or user with a code that keeps the client away.
"""

from __future__ import annotations

import contextlib
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from realtime_wall import api
from realtime_wall.brokers.command import Cut
from realtime_wall.errors import NoServer


def watch() -> None:
    """Connect to Django's signals; called once the apps are loaded."""
    user_model = get_user_model()
    user_logged_out.connect(_logged_out, dispatch_uid="realtime_wall.leaving")
    post_save.connect(_user_saved, sender=user_model, dispatch_uid="realtime_wall.leaving")
    post_delete.connect(_user_deleted, sender=user_model, dispatch_uid="realtime_wall.leaving")


def _logged_out(request: HttpRequest | None, **_: Any) -> None:
    # Sent before the session is flushed: it still has the key that its sockets came with.
    session = getattr(request, "session", None)
    if session is not None and session.session_key:
        _cut(Cut(session_key=session.session_key))


def _user_saved(instance: Any, created: bool, **_: Any) -> None:
    # set_password() leaves the new one here until it is saved; a login that renews the hash does not.
    has_new_password = getattr(instance, "_password", None) is not None
    if not created and (has_new_password or not instance.is_active):
        _cut(Cut(user_id=str(instance.pk)))


def _user_deleted(instance: Any, **_: Any) -> None:
    _cut(Cut(user_id=str(instance.pk)))


def _cut(command: Cut) -> None:
    transaction.on_commit(lambda: _tell_servers(command))


def _tell_servers(command: Cut) -> None:
    with contextlib.suppress(NoServer):  # without a server there are no sockets
        api.perform(command)
