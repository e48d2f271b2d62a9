"""What was changed of a wall itself: its mode, its pinned post, its code. By whom, when, and what it was."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class WallChange(models.Model):
    wall: models.ForeignKey[Any, Any] = models.ForeignKey(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="changes", verbose_name=_("wall")
    )
    act = models.CharField(_("act"), max_length=32, db_index=True)
    action = models.CharField(_("action"), max_length=16)
    was = models.JSONField(_("it was"))
    became = models.JSONField(_("it became"))
    line = models.JSONField(default=list)  # ids of the posts that waited for the clock then
    by = models.CharField(_("by"), max_length=150)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("change of a wall")
        verbose_name_plural = _("changes of walls")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.action
