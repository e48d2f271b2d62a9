"""Which slides have a wall's pages in their rota? When each has its turn, a page finds out by the clock.

What is not on yet, or no longer, is sent as well: a page may be without network when that changes. So what
must not be known before its time has no place here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from realtime_wall.wall.models import Wall
from realtime_wall.wall.stage.tables import Slide


def slides_of(wall: Wall) -> list[dict[str, Any]]:
    return [_as_message(slide) for slide in Slide.objects.filter(wall=wall, enabled=True)]


def _as_message(slide: Slide) -> dict[str, Any]:
    return {
        "id": slide.pk,
        "name": slide.name,
        "text": slide.text,
        "picture": slide.picture,
        "film": slide.film,
        "seconds": max(1, slide.seconds),
        "every_posts": slide.every_posts,
        "every_minutes": slide.every_minutes,
        "begins": _milliseconds(slide.begins),
        "ends": _milliseconds(slide.ends),
    }


def _milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None
