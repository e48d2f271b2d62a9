"""What the wall remembers of its stage: how it looks, and what its director has said."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Layout(models.TextChoices):
    """How posts are drawn; what comes next, and when, is the same in all of them."""

    STREAM = "stream", _("stream: the newest on top")
    SPOTLIGHT = "spotlight", _("spotlight: one post at a time, large")
    GRID = "grid", _("grid: tiles, mostly pictures")
    TICKER = "ticker", _("ticker: one line at the lower edge")


class Theme(models.TextChoices):
    DARK = "dark", _("dark, for projectors")
    LIGHT = "light", _("light, for bright rooms")


class Font(models.TextChoices):
    """Of the screen's own: no file has to be loaded."""

    SANS = "sans", _("sans serif")
    SERIF = "serif", _("serif")
    ROUNDED = "rounded", _("rounded")
    NARROW = "narrow", _("narrow")
    MONO = "mono", _("typewriter")


class Part(models.TextChoices):
    """What can be left out of a post."""

    FACE = "face", _("the face")
    HANDLE = "handle", _("the @name")
    TIME = "time", _("the time")
    BADGE = "badge", _("the badge of its network")
    MEDIA = "media", _("pictures")
    LINK = "link", _("what a link leads to")


def _colour(words: Any) -> Any:
    return models.CharField(
        words, max_length=7, blank=True, help_text=_("As #rrggbb; empty for the theme's.")
    )


class Look(models.Model):
    """How a wall's stage looks, as its organiser has set it."""

    wall: models.OneToOneField[Any, Any] = models.OneToOneField(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="look", primary_key=True
    )
    layout = models.CharField(_("layout"), max_length=16, choices=Layout.choices, default=Layout.STREAM)
    seconds = models.PositiveSmallIntegerField(
        _("speed"),
        default=12,
        help_text=_("Seconds of a post that is shown alone, and from one to the next when it is quiet."),
    )
    quiet = models.PositiveSmallIntegerField(
        _("quiet after"),
        default=120,
        help_text=_("Seconds without a new post, after which older ones come round. 0 for never."),
    )
    theme = models.CharField(_("theme"), max_length=16, choices=Theme.choices, default=Theme.DARK)
    bg = _colour(_("colour behind all"))
    card = _colour(_("colour of the cards"))
    text = _colour(_("colour of the text"))
    accent = _colour(_("colour of links"))
    font = models.CharField(_("font"), max_length=16, choices=Font.choices, default=Font.SANS)
    logo = models.CharField(
        _("logo"), max_length=500, blank=True, help_text=_("The address of a picture: https://, or a path.")
    )
    left_out = models.JSONField(_("left out of a post"), default=list, blank=True)
    badges = models.TextField(
        _("words of badges"), blank=True, help_text=_("One a line, for a source: webhook = From the hall")
    )
    number = models.PositiveIntegerField(default=0, editable=False)  # of times it was changed

    class Meta:
        verbose_name = _("look")
        verbose_name_plural = _("look")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.number += 1
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return str(self.wall)


class StagePicture(models.Model):
    """A logo, or the picture of a slide, that was uploaded: a WebP, as we have drawn it."""

    id = models.CharField(max_length=32, primary_key=True)  # nobody guesses it
    wall = models.ForeignKey("realtime_wall_wall.Wall", models.CASCADE, related_name="+")
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.id


class Director(models.Model):
    """What the director of a wall has said last, as pages are sent it."""

    wall: models.OneToOneField[Any, Any] = models.OneToOneField(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="director", primary_key=True
    )
    number = models.PositiveIntegerField(default=0)  # of the states there were: a page takes no older one
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.number} of {self.wall_id}"


class Slide(models.Model):
    """What comes between the posts again and again: of a sponsor, or an announcement."""

    wall = models.ForeignKey(
        "realtime_wall_wall.Wall", models.CASCADE, related_name="slides", verbose_name=_("wall")
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("For the organisers, and read aloud for a picture.")
    )
    text = models.CharField(_("text"), max_length=280, blank=True)
    picture = models.CharField(_("picture"), max_length=500, blank=True, help_text=_("Its address."))
    film = models.CharField(
        _("film"),
        max_length=500,
        blank=True,
        help_text=_("Its address (MP4 or WebM). It plays without sound; the picture is shown until it does."),
    )
    seconds = models.PositiveSmallIntegerField(_("seconds"), default=8, help_text=_("Of a film: at most."))
    every_posts = models.PositiveSmallIntegerField(
        _("every so many posts"), default=0, help_text=_("0 for none.")
    )
    every_minutes = models.PositiveSmallIntegerField(
        _("every so many minutes"), default=5, help_text=_("0 for none.")
    )
    begins = models.DateTimeField(_("from"), null=True, blank=True)
    ends = models.DateTimeField(_("until"), null=True, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    place = models.PositiveSmallIntegerField(_("place"), default=0, help_text=_("In the rota."))

    class Meta:
        verbose_name = _("slide")
        verbose_name_plural = _("slides")
        ordering: ClassVar = ["wall", "place", "id"]

    def __str__(self) -> str:
        return self.name
