"""A moderator changes the wall itself, and takes it back: its mode, its pinned post, its code for phones.

It is undone only while nobody has changed the same since. Posts that waited for the clock when the mode was
changed, and wait still, wait for it again, from now on.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from realtime_wall.wall.changes.change_table import WallChange
from realtime_wall.wall.models import Mode, State, Tweet, Wall
from realtime_wall.wall.write_transaction import write_transaction

# Which columns of a wall each action is about.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "mode": ("mode", "delay"),
    "pin": ("pinned_id",),
    "phones": ("post_key",),
}
MOST_IN_LINE = 5000


class ChangedSince(Exception):
    """By somebody else; says what."""


def change(wall: Wall, action: str, by: str, values: Mapping[str, Any]) -> WallChange:
    with write_transaction():
        return _change(wall, action, by, values)


def undo_change(wall: Wall, act_id: str, by: str) -> WallChange | None:
    """None when this act was not about the wall itself."""
    with write_transaction():
        before = wall.changes.filter(act=act_id).first()
        if before is None:
            return None
        if _values_of(wall, before.action) != before.became:
            raise ChangedSince(before.action)
        made = _change(wall, before.action, by, before.was)
        if made.action == "mode" and wall.mode == Mode.DELAYED:
            still = wall.tweets.filter(pk__in=before.line, state=State.WAITING)
            still.update(show_at=timezone.now() + timedelta(seconds=wall.delay), reason="delay")
        return made


def _change(wall: Wall, action: str, by: str, values: Mapping[str, Any]) -> WallChange:
    was, became = _values_of(wall, action), dict(values)
    if action == "pin" and not Tweet.objects.filter(pk=became["pinned_id"], state=State.SHOWN).exists():
        became["pinned_id"] = None  # a post that is not shown is not pinned
    Wall.objects.filter(pk=wall.pk).update(**became)
    wall.refresh_from_db(fields=COLUMNS[action])
    made = WallChange(wall=wall, act=secrets.token_hex(8), action=action, by=by[:150], was=was, became=became)
    if action == "mode":
        made.line = _stop_or_release_line(wall)
    made.save()
    return made


def _values_of(wall: Wall, action: str) -> dict[str, Any]:
    """As they are now, whatever this process has read of it before."""
    return dict(Wall.objects.filter(pk=wall.pk).values(*COLUMNS[action]).get())


def _stop_or_release_line(wall: Wall) -> list[int]:
    """What waits for the clock does so on a wall with a delay alone; its ids."""
    line = wall.tweets.filter(state=State.WAITING, show_at__isnull=False)
    ids = list(line.order_by("id").values_list("pk", flat=True)[:MOST_IN_LINE])
    if wall.mode == Mode.AT_ONCE:
        line.update(show_at=timezone.now())
    elif wall.mode == Mode.APPROVED:
        line.update(show_at=None, reason="")
    return ids
