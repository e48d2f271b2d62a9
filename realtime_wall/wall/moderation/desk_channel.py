"""What do the moderators' pages hear, and who may hear it?

Each wall has a channel for its moderators, with posts that no visitor may see. Its rule comes with the app
(``apps.py``): whoever may moderate the wall may subscribe, on any transport, and nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from realtime_wall.wall.models import State, Wall
from realtime_wall.wall.moderation.rights import may_moderate

PREFIX = "wall-desk."


def desk_channel(slug: str) -> str:
    return PREFIX + slug


def may_listen(request: HttpRequest, channel: str) -> bool:
    """The rule of these channels."""
    wall = Wall.objects.filter(slug=channel.removeprefix(PREFIX)).first()
    return wall is not None and may_moderate(getattr(request, "user", None), wall)


def listed(
    post: Mapping[str, Any],
    state: str,
    reason: str = "",
    show_at: datetime | None = None,
    *,
    by: str = "",
    was: str = "",
) -> dict[str, Any]:
    """A post as the moderators' pages list it; ``by`` is who has decided, ``was`` its state before."""
    return {
        "key": f"{post['source']}:{post['id']}",
        "state": State(state).value,
        "reason": reason,
        "show_at": show_at.isoformat() if show_at else None,
        "by": by,
        "was": was,
        "post": dict(post),
    }
