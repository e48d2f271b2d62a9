"""What the admin lists, and gives permissions for: no table stands behind it."""

from __future__ import annotations

from django.db import models


class LiveSite(models.Model):
    class Meta:
        managed = False
        default_permissions = ("view", "change")
        verbose_name = "live site"
        verbose_name_plural = "live site"

    def __str__(self) -> str:
        return "live site"
