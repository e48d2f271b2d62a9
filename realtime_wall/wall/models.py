"""What the wall remembers: its walls, their posts, and the posts that could not be kept."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

MAIN = "main"


class Mode(models.TextChoices):
    """When a post that nobody objects to is shown."""

    AT_ONCE = "at_once", _("at once")
    DELAYED = "delayed", _("after a delay")
    APPROVED = "approved", _("once approved")


class State(models.TextChoices):
    """Of a post. Visitors see what is shown, and nothing else of any other."""

    WAITING = "waiting", _("waiting")
    SHOWN = "shown", _("shown")
    HIDDEN = "hidden", _("hidden")
    TAKEN_BACK = "taken_back", _("taken back")  # by its author; without its text, and for good


class Wall(models.Model):
    slug = models.SlugField(_("slug"), unique=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    hashtag = models.CharField(_("hashtag"), max_length=100, blank=True)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    mode = models.CharField(_("posts are shown"), max_length=16, choices=Mode.choices, default=Mode.AT_ONCE)
    delay = models.PositiveSmallIntegerField(_("delay"), default=30, help_text=_("Of that mode, in seconds."))
    moderators: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("moderators"), blank=True, related_name="+"
    )
    moderator_groups: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "auth.Group", verbose_name=_("groups of moderators"), blank=True, related_name="+"
    )

    quota = models.PositiveSmallIntegerField(
        _("posts of one author"),
        default=0,
        help_text=_("In ten minutes; others wait for a decision. 0 for any number."),
    )
    is_folding = models.BooleanField(
        _("fold copies"),
        default=False,
        help_text=_("Retweets and copies of a post are one card, and counted."),
    )
    least = models.PositiveSmallIntegerField(
        _("seconds on screen"),
        default=0,
        help_text=_("Of each post, at least: a burst waits its turn, author by author. 0 shows it at once."),
    )
    embed_sites = models.TextField(
        _("other sites that may show it"),
        blank=True,
        help_text=_("One a line: https://event.example, https://*.event.example for all below it, or *."),
    )
    # What the code for posting from phones is made of; empty while nobody may.
    post_key = models.CharField(max_length=32, blank=True, editable=False)
    pinned: models.ForeignKey[Any, Any] = models.ForeignKey(
        "Tweet",
        models.SET_NULL,
        verbose_name=_("pinned post"),
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )

    class Meta:
        verbose_name = _("wall")
        verbose_name_plural = _("walls")
        ordering: ClassVar = ["slug"]
        permissions: ClassVar = [("moderate_walls", "Can moderate every wall")]

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

    @classmethod
    def known(cls, slug: str) -> Wall | None:
        """The wall with this slug, if there is one; the main wall is there whenever somebody asks for it."""
        return cls.called() if slug == MAIN else cls.objects.filter(slug=slug).first()


class Tweet(models.Model):
    wall = models.ForeignKey(Wall, models.CASCADE, related_name="tweets", verbose_name=_("wall"))
    # A string: X's ids do not fit a JavaScript number, and other networks' are no numbers at all.
    post_id = models.CharField(_("post id"), max_length=64)
    source = models.CharField(_("source"), max_length=32)
    content = models.JSONField(_("content"), help_text=_("The flat object, as it was published."))
    created_at = models.DateTimeField(_("posted"))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.SHOWN)
    reason = models.CharField(_("reason"), max_length=200, blank=True)  # why it waits, or is hidden
    # Of one that waits for nobody but the clock: when it is shown.
    show_at = models.DateTimeField(_("shown at"), null=True, blank=True)
    # How often it was put into the channel's log: each time under an event id of its own.
    publications = models.PositiveSmallIntegerField(default=0, editable=False)
    # Above 0 it was edited; WITHDRAWN when its author has deleted it.
    version = models.BigIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("tweet")
        verbose_name_plural = _("tweets")
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wall", "source", "post_id"], name="one_tweet_per_post")
        ]
        indexes: ClassVar = [
            models.Index(fields=["wall", "-created_at", "-id"], name="newest_tweets"),
            models.Index(fields=["wall", "id"], name="waiting_tweets", condition=models.Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.post_id}"

    @property
    def event_ids(self) -> list[str]:
        """What it has in the log, the newest last."""
        return [event_id_of(self.post_id, number) for number in range(1, self.publications + 1)]


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


class Ban(models.Model):
    """An author whose posts, and what he passes on, wait until somebody decides otherwise."""

    wall = models.ForeignKey(
        Wall,
        models.CASCADE,
        related_name="bans",
        verbose_name=_("wall"),
        null=True,
        blank=True,
        help_text=_("Empty for every wall."),
    )
    source = models.CharField(_("source"), max_length=32)
    author_id = models.CharField(_("author's id"), max_length=64, blank=True)
    username = models.CharField(_("user name"), max_length=200, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty for good."))
    act = models.CharField(_("act"), max_length=32, blank=True, editable=False)  # what hid his posts
    by = models.CharField(_("by"), max_length=150, blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.name or self.username or self.author_id


class Phrase(models.Model):
    """A word, or several, for which a post waits; or one that is no reason to wait."""

    wall = models.ForeignKey(
        Wall,
        models.CASCADE,
        related_name="phrases",
        verbose_name=_("wall"),
        null=True,
        blank=True,
        help_text=_("Empty for every wall."),
    )
    text = models.CharField(_("words"), max_length=200)
    is_allowed = models.BooleanField(
        _("allowed"), default=False, help_text=_("What is banned may stand in it.")
    )

    class Meta:
        verbose_name = _("banned or allowed words")
        verbose_name_plural = _("banned and allowed words")
        ordering: ClassVar = ["text"]

    def __str__(self) -> str:
        return self.text


class PhonePicture(models.Model):
    """The picture of a post from a phone, as we have drawn it; shown while its post is."""

    post_id = models.CharField(max_length=64, primary_key=True)
    wall = models.ForeignKey(Wall, models.CASCADE, related_name="+")
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.post_id


class Decision(models.Model):
    """Who changed the state of a post, when and why; of one act with several posts, one for each."""

    wall = models.ForeignKey(Wall, models.CASCADE, related_name="decisions", verbose_name=_("wall"))
    tweet = models.ForeignKey(
        Tweet, models.SET_NULL, related_name="decisions", verbose_name=_("tweet"), null=True
    )
    key = models.CharField(_("post"), max_length=100)  # its own, when the tweet was deleted
    act = models.CharField(_("act"), max_length=32, db_index=True)  # what is undone together
    action = models.CharField(_("action"), max_length=16)
    was = models.CharField(_("it was"), max_length=16, choices=State.choices)
    became = models.CharField(_("it became"), max_length=16, choices=State.choices)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    # The name, not the account, which may be deleted before anybody asks.
    by = models.CharField(_("by"), max_length=150)
    at = models.DateTimeField(_("at"), auto_now_add=True)
    # Until then it is published again and again: a decision outlives the server that took it.
    is_published = models.BooleanField(_("published"), default=False)
    screens = models.CharField(_("screens"), max_length=500, blank=True)  # which confirmed it

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["at"], name="unpublished", condition=models.Q(is_published=False))
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.key}"


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
        help_text=_("Of the server, or of the feeds. Empty for the one in the settings."),
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


def event_id_of(post_id: str, number: int) -> str:
    return post_id if number == 1 else f"{post_id}~{number}"


def channel_of(slug: str) -> str:
    return "tweets" if slug == MAIN else f"tweets.{slug}"


# They are of the wall, and in a file of their own; Django looks for them here.
from realtime_wall.wall.changes.change_table import WallChange  # noqa: E402, F401
from realtime_wall.wall.displays.display_tables import Display as Display  # noqa: E402
from realtime_wall.wall.displays.display_tables import Screen as Screen  # noqa: E402
from realtime_wall.wall.programs.program_tables import ApiToken, Webhook, WebhookMessage  # noqa: E402, F401
from realtime_wall.wall.stage.tables import Director, Look, Slide, StagePicture  # noqa: E402, F401
