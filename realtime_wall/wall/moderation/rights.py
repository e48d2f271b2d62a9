"""Who may moderate a wall? Its moderators, the members of its groups of moderators, and who may moderate all.

Nobody needs ``is_staff`` for it. Django's permission ``realtime_wall_wall.moderate_walls``, given to a user
or a group as any other, is for every wall.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from realtime_wall.wall.models import Wall

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
