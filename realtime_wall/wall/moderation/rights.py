"""Who may moderate a wall? Its moderators, the members of its groups of moderators, and who may moderate all.

Nobody needs ``is_staff`` for it. Django's permission ``realtime_wall_wall.moderate_walls``, given to a user
or a group as any other, is for every wall.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from realtime_wall import NoSocket, cluster
from realtime_wall.wall.models import Wall

# "Come back": then the rule of the channel is asked again (RFC 6455's registry: service restart).
AGAIN = 1012
ALL = "realtime_wall_wall.moderate_walls"


def may_moderate(user: Any, wall: Wall) -> bool:
    if user is None or not user.is_authenticated or not user.is_active:
        return False
    return bool(user.has_perm(ALL) or walls_of(user).filter(pk=wall.pk).exists())


def walls_of(user: Any) -> Any:
    """Those that this user is named for, himself or by a group."""
    named = Q(moderators=user.pk)
    if hasattr(user, "groups"):
        named |= Q(moderator_groups__in=user.groups.all())
    return Wall.objects.filter(named).distinct()


def moderated_walls(user: Any) -> Any:
    """All that this user may moderate."""
    return Wall.objects.all() if user.has_perm(ALL) else walls_of(user)


def moderators_changed(sender: Any, action: str, instance: Any, pk_set: set[Any] | None, **_: Any) -> None:
    """Receiver of Django's ``m2m_changed``: who moderates a wall no longer hears it no longer."""
    if action not in ("pre_clear", "post_remove") or not isinstance(instance, Wall):
        return
    is_of_users = sender is Wall.moderators.through
    named = instance.moderators if is_of_users else instance.moderator_groups
    gone = pk_set if pk_set is not None else set(named.values_list("pk", flat=True))
    which = Q(pk__in=gone) if is_of_users else Q(groups__in=gone)
    for user in get_user_model()._default_manager.filter(which).distinct():
        transaction.on_commit(partial(_cut, user))


def _cut(user: Any) -> None:
    with suppress(NoSocket):  # nobody is there, or no server
        cluster.disconnect_user(user, AGAIN, "who may do what has changed")
