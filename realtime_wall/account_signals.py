"""A user who leaves is cut: logout, somebody else's login, a new password, deactivation or deletion end
the user's sockets.

And whoever has lost or got a permission is looked at again: the rules of the channels are asked. Django
sends signals about all this, in whatever process it happens; the servers are notified after the transaction
that did it. A session that expires is nobody's doing: see ``sockets/revocation/session_expiry.py``.
"""

from __future__ import annotations

import contextlib
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_init, post_save
from django.http import HttpRequest

from realtime_wall import api
from realtime_wall.brokers.commands import Command, DisconnectUser, RecheckPermissions
from realtime_wall.errors import NoServer

# What a user may do by being what it is.
POWERS = ("is_staff", "is_superuser")
# Where a user's instance keeps what they were when it was read.
READ_WITH = "_realtime_wall_powers"
UID = "realtime_wall.account_signals"


def watch() -> None:
    """Connect to Django's signals; called once the apps are loaded."""
    user_model: Any = get_user_model()
    user_logged_out.connect(_logged_out, dispatch_uid=UID)
    user_logged_in.connect(_logged_in, dispatch_uid=UID)
    post_init.connect(_user_read, sender=user_model, dispatch_uid=UID)
    post_save.connect(_user_saved, sender=user_model, dispatch_uid=UID)
    post_delete.connect(_user_deleted, sender=user_model, dispatch_uid=UID)
    post_delete.connect(_group_deleted, sender=Group, dispatch_uid=UID)
    for field in ("groups", "user_permissions"):
        if hasattr(user_model, field):
            through = getattr(user_model, field).through
            m2m_changed.connect(_permissions_of_users_changed, sender=through, dispatch_uid=UID)
    of_groups: Any = Group.permissions
    m2m_changed.connect(_permissions_of_groups_changed, sender=of_groups.through, dispatch_uid=UID)


def _logged_out(request: HttpRequest | None, **_: Any) -> None:
    # Sent before the session is flushed: it still has the key that its sockets came with.
    session = getattr(request, "session", None)
    if session is not None and session.session_key:
        _notify_on_commit(DisconnectUser(session_key=session.session_key))


def _logged_in(request: HttpRequest | None, **_: Any) -> None:
    """Somebody else has signed in without a logout: the session that the browser came with is over."""
    session = getattr(request, "session", None)
    before = getattr(request, "COOKIES", {}).get(settings.SESSION_COOKIE_NAME)
    if session is not None and before and before != session.session_key:
        # A session that was nobody's has got another key: its sockets may stay.
        reason = "somebody else has signed in"
        _notify_on_commit(DisconnectUser(session_key=before, reason=reason, spares_anonymous=True))


def _user_read(instance: Any, **_: Any) -> None:
    instance.__dict__[READ_WITH] = _powers_of(instance)


def _powers_of(user: Any) -> list[Any]:
    return [user.__dict__.get(name) for name in POWERS]  # what was not read is not asked for


def _user_saved(instance: Any, created: bool, **_: Any) -> None:
    if created:
        return
    # set_password() leaves the new one here until it is saved; a login that renews the hash does not.
    has_new_password = getattr(instance, "_password", None) is not None
    if has_new_password or not instance.is_active:
        _notify_on_commit(DisconnectUser(user_id=str(instance.pk)))
    elif instance.__dict__.get(READ_WITH) != _powers_of(instance):
        _user_read(instance)
        _notify_on_commit(RecheckPermissions(user_id=str(instance.pk)))


def _user_deleted(instance: Any, **_: Any) -> None:
    _notify_on_commit(DisconnectUser(user_id=str(instance.pk)))


def _permissions_of_users_changed(instance: Any, action: str, pk_set: Any, **_: Any) -> None:
    if not action.startswith("post_"):
        return
    if isinstance(instance, get_user_model()):
        _notify_on_commit(RecheckPermissions(user_id=str(instance.pk)))
    elif pk_set is not None and len(pk_set) == 1:  # group.user_set.remove(user)
        _notify_on_commit(RecheckPermissions(user_id=str(next(iter(pk_set)))))
    else:
        _notify_on_commit(RecheckPermissions())


def _permissions_of_groups_changed(action: str, **_: Any) -> None:
    if action.startswith("post_"):
        _notify_on_commit(RecheckPermissions())


def _group_deleted(**_: Any) -> None:
    _notify_on_commit(RecheckPermissions())


def _notify_on_commit(command: Command[Any]) -> None:
    """Notify the servers, once it is true."""
    transaction.on_commit(lambda: _notify(command))


def _notify(command: Command[Any]) -> None:
    with contextlib.suppress(NoServer):  # without a server there are no sockets
        api.perform(command)
