"""What the wall remembers of its stage: how it looks, and what its director has said."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Layout(models.TextChoices):
    """How posts are drawn; what comes next, and when, is the same in all of them."""

    STREAM = "stream", _("stream: the newest on top")
    SPOTLIGHT = "spotlight", _("spotlight: one post at a time, large")
    GRID = "grid", _("grid: tiles, mostly pictures")
    TICKER = "ticker", _("ticker: one line at the lower edge")


class Director(models.Model):
    """What the director of a wall has said last, as pages are sent it."""

    wall: models.OneToOneField[Any, Any] = models.OneToOneField(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="director", primary_key=True
    )
    number = models.PositiveIntegerField(default=0)  # of the states there were: a page takes no older one
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.number} of {self.wall_id}"
