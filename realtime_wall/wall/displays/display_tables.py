"""What is stored of an event's screens: the screens themselves, and what each of them has shown."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Screen(models.Model):
    """A page that was opened with ``?screen=NAME``, and is expected to confirm what moderators decide."""

    wall = models.ForeignKey(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="screens", verbose_name=_("wall")
    )
    name = models.CharField(_("name"), max_length=50)
    seen = models.DateTimeField(_("last seen"))
    # As it last said; empty of one that only confirms.
    layout = models.CharField(_("layout"), max_length=32, blank=True)
    post = models.CharField(_("post"), max_length=100, blank=True)
    is_visible = models.BooleanField(_("visible"), default=True)
    ahead = models.IntegerField(_("its clock is ahead, in milliseconds"), default=0)

    class Meta:
        verbose_name = _("screen")
        verbose_name_plural = _("screens")
        ordering: ClassVar = ["wall", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wall", "name"], name="one_screen_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Display(models.Model):
    """A post was on a screen, from when to when by that screen's clock."""

    wall = models.ForeignKey(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="displays", verbose_name=_("wall")
    )
    screen = models.CharField(_("screen"), max_length=50)
    key = models.CharField(_("post"), max_length=100)
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("to"))
    is_visible = models.BooleanField(_("visible"))  # the page, to whoever stood before the screen
    ahead = models.IntegerField(_("its clock is ahead, in milliseconds"))
    # Which of a page's displays it is: one that was reported twice is stored once.
    page = models.CharField(max_length=16)
    number = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("display")
        verbose_name_plural = _("displays")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wall", "page", "number"], name="one_display_of_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.screen}: {self.key}"
