"""What the wall remembers: its walls, their posts, and the posts that could not be kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

MAIN = "main"


class Wall(models.Model):
    slug = models.SlugField(_("slug"), unique=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    hashtag = models.CharField(_("hashtag"), max_length=100, blank=True)
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("wall")
        verbose_name_plural = _("walls")
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.title or self.slug

    @property
    def channel(self) -> str:
        """The channel on which this wall's posts are published."""
        return channel_of(self.slug)

    @classmethod
    def called(cls, slug: str = MAIN) -> Wall:
        """The wall with this slug, made when it is first asked for."""
        return cls.objects.get_or_create(slug=slug)[0]


class Tweet(models.Model):
    wall = models.ForeignKey(Wall, models.CASCADE, related_name="tweets", verbose_name=_("wall"))
    # A string: X's ids do not fit a JavaScript number, and other networks' are no numbers at all.
    post_id = models.CharField(_("post id"), max_length=64)
    source = models.CharField(_("source"), max_length=32)
    content = models.JSONField(_("content"), help_text=_("The flat object, as it was published."))
    created_at = models.DateTimeField(_("posted"))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    hidden = models.BooleanField(_("hidden"), default=False)
    # Above 0 it was edited; WITHDRAWN when its author has deleted it: then it is hidden, without its text.
    version = models.BigIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("tweet")
        verbose_name_plural = _("tweets")
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wall", "source", "post_id"], name="one_tweet_per_post")
        ]
        indexes: ClassVar = [models.Index(fields=["wall", "-created_at", "-id"], name="newest_tweets")]

    def __str__(self) -> str:
        return f"{self.source}:{self.post_id}"


class RejectedPost(models.Model):
    """A post that the database refused, put aside so that the others could go on."""

    RAW_SIZE: ClassVar = 64 * 1024

    wall = models.ForeignKey(
        Wall, models.CASCADE, related_name="rejected", verbose_name=_("wall"), null=True, blank=True
    )
    source = models.CharField(_("source"), max_length=32)
    post_id = models.CharField(_("post id"), max_length=64)
    reason = models.CharField(_("reason"), max_length=500)
    raw = models.TextField(_("raw JSON"), help_text=_("Cut after 64 KiB."))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)

    class Meta:
        verbose_name = _("rejected post")
        verbose_name_plural = _("rejected posts")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.source}:{self.post_id}"


class WallSource(models.Model):
    """A place that posts of a wall come from, as an organiser has set it up."""

    wall = models.ForeignKey(Wall, models.CASCADE, related_name="sources", verbose_name=_("wall"))
    kind = models.CharField(
        _("kind"),
        max_length=200,
        help_text=_("A dotted path has to be among SOURCES in the settings."),
    )
    terms = models.TextField(
        _("terms"),
        blank=True,
        help_text=_("One a line: a word, a #hashtag, several words as a phrase, or from:somebody."),
    )
    address = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        help_text=_("Of the server, for mastodon and bluesky. Empty for the one in the settings."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    cap = models.PositiveIntegerField(
        _("posts per hour"), default=0, help_text=_("Then it rests until the hour is over. 0 for no limit.")
    )

    class Meta:
        verbose_name = _("source of a wall")
        verbose_name_plural = _("sources of walls")
        ordering: ClassVar = ["wall", "kind"]
        # Two of a kind would share their place in it, and posts of theirs their ids.
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wall", "kind"], name="one_source_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.wall})"


class SourcePosition(models.Model):
    """How far a wall has read a source; written with the posts, so that both are true or neither is.

    And what stands in its way.
    """

    wall = models.ForeignKey(Wall, models.CASCADE, related_name="positions", verbose_name=_("wall"))
    source = models.CharField(_("source"), max_length=32)
    cursor = models.CharField(_("read up to"), max_length=200, blank=True)
    problem = models.CharField(_("problem"), max_length=500, blank=True)  # empty when all is well
    updated = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("source at work")
        verbose_name_plural = _("sources at work")
        ordering: ClassVar = ["wall", "source"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wall", "source"], name="one_position_per_source")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.cursor}"


def channel_of(slug: str) -> str:
    return "tweets" if slug == MAIN else f"tweets.{slug}"
