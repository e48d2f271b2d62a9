"""Somebody has changed how a wall looks: its open pages are told, as soon as it is stored."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import transaction

from realtime_wall import api
from realtime_wall.errors import NoServer, RealtimeWallError
from realtime_wall.wall.models import Wall
from realtime_wall.wall.stage.look import badge_words, look_of
from realtime_wall.wall.stage.pictures import drop_unused
from realtime_wall.wall.stage.slides import slides_of
from realtime_wall.wall.stage.tables import Look, Slide

logger = logging.getLogger(__name__)
EVENT = "wall_look"


SLIDES_EVENT = "wall_slides"


def slide_saved(sender: Any, instance: Slide, raw: bool = False, **_: Any) -> None:
    """Also of one that was deleted."""
    if not raw:  # of a fixture the rest is still to come
        drop_unused(instance.wall)
    transaction.on_commit(partial(_publish_slides, instance.wall))


def look_saved(
    sender: Any,
    instance: Wall | Look,
    created: bool,
    raw: bool = False,
    update_fields: Any = None,
    **_: Any,
) -> None:
    """Receiver of Django's ``post_save``. What is saved by its fields (a mode, a pinned post) is no look."""
    wall = instance if isinstance(instance, Wall) else instance.wall
    if isinstance(instance, Look) and not raw:
        drop_unused(wall)
    is_new = created and wall is instance  # then no page of it is open
    if update_fields is None and not is_new:
        transaction.on_commit(partial(_publish_look, wall))


def _publish_look(wall: Wall) -> None:
    look = look_of(wall)
    _publish(wall, look | {"badges": badge_words(look)}, EVENT)


def _publish_slides(wall: Wall) -> None:
    _publish(wall, slides_of(wall), SLIDES_EVENT)


def _publish(wall: Wall, message: object, event: str) -> None:
    try:
        with suppress(NoServer):  # then no page is open
            api.publish(wall.channel, message, event)
    except RealtimeWallError as problem:
        logger.error("open pages of %s do not know yet how it looks: %s", wall.slug, problem)
