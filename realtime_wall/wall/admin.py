"""The wall in Django's admin: look things up, hide a tweet, on the open pages too."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from realtime_wall.errors import NoServer, RealtimeWallError
from realtime_wall.wall import options
from realtime_wall.wall.embedding.allowed_sites import check_sites
from realtime_wall.wall.feed import source_config
from realtime_wall.wall.models import RejectedPost, SourcePosition, State, Tweet, Wall, WallSource
from realtime_wall.wall.moderation import admin_pages  # noqa: F401  registers them
from realtime_wall.wall.moderation.decisions import ACTIONS, Choice, decide
from realtime_wall.wall.moderation.open_pages import publish_decisions, take_down
from realtime_wall.wall.moderation.shipped_words import add_shipped_words
from realtime_wall.wall.pages.layout import address_of
from realtime_wall.wall.programs import (
    program_pages,  # noqa: F401  the same
    webhook_queue,
)
from realtime_wall.wall.sources import kinds
from realtime_wall.wall.sources.source import SourceRequest
from realtime_wall.wall.stage.admin_forms import LookInline
from realtime_wall.wall.urls import taken_names

logger = logging.getLogger(__name__)


class WallForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_slug(self) -> str:
        """Whether the wall can be reached under it."""
        slug = str(self.cleaned_data["slug"])
        if slug in taken_names():
            raise forms.ValidationError(gettext("Another page is at this address; choose another slug."))
        return slug

    def clean_embed_sites(self) -> str:
        text = str(self.cleaned_data["embed_sites"])
        check_sites(text)
        return text


@admin.register(Wall)
class WallAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = WallForm
    list_display = ("slug", "title", "hashtag", "mode", "fed_by", "created")
    filter_horizontal = ("moderators", "moderator_groups")
    actions = ("add_words",)
    search_fields = ("slug", "title", "hashtag")
    inlines = (LookInline,)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        wall = self.get_object(request, object_id)
        extra = {**(extra_context or {}), "preview": _preview(wall) if wall else None}
        return super().change_view(request, object_id, form_url, extra)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wall]:
        return super().get_queryset(request).prefetch_related("sources")

    @admin.action(description=_("Ban the words that come with the wall"))
    def add_words(self, request: HttpRequest, walls: QuerySet[Wall]) -> None:
        added = sum(add_shipped_words(wall) for wall in walls)
        self.message_user(request, gettext("{} words added; change them under banned words.").format(added))

    @admin.display(description=_("sources"))
    def fed_by(self, wall: Wall) -> str:
        return ", ".join(source.kind for source in wall.sources.all() if source.enabled)


def _preview(wall: Wall) -> dict[str, str] | None:
    try:
        return {"wall": address_of("wall", wall), "contrasts": address_of("look-contrast", wall)}
    except NoReverseMatch:
        return None  # an admin on a site of its own has none


class WallSourceForm(forms.ModelForm):  # type: ignore[type-arg]
    kind = forms.ChoiceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = source_config.allowed_kinds(options.current())
        self.fields["kind"].choices = [(kind, kind) for kind in allowed]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        """Whether such a source can be made."""
        cleaned = super().clean() or self.cleaned_data
        if {"kind", "wall"} <= cleaned.keys() and cleaned["kind"] not in kinds.SENT:
            keywords, users = source_config.read_terms(cleaned.get("terms", "").splitlines())
            request = SourceRequest(
                wall=cleaned["wall"].slug,
                keywords=keywords,
                users=users,
                address=cleaned.get("address", ""),
                options=options.current(),
            )
            try:
                kinds.make(cleaned["kind"], request)
            except (ValueError, ImportError) as problem:
                field = "address" if cleaned["kind"] == "rss" else "terms"
                raise forms.ValidationError({field: str(problem)}) from problem
        return cleaned


@admin.register(WallSource)
class WallSourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What each wall is fed with; the settings' own sources of the main wall are not listed."""

    form = WallSourceForm
    list_display = ("kind", "wall", "enabled", "excerpt", "this_hour", "costs", "problem")
    list_filter = ("enabled", "wall")
    list_select_related = ("wall",)
    readonly_fields = ("this_hour", "costs")

    @admin.display(description=_("terms"))
    def excerpt(self, source: WallSource) -> str:
        return ", ".join(source.terms.split("\n"))[:80]

    @admin.display(description=_("posts of this hour"))
    def this_hour(self, source: WallSource) -> str:
        if source.pk is None:
            return ""
        given = source_config.given_this_hour(source.wall.slug, kinds.name_of(source.kind), time.time())
        return f"{given} / {source.cap}" if source.cap else str(given)

    @admin.display(description=_("problem"))
    def problem(self, source: WallSource) -> str:
        found = source.wall.positions.filter(source=kinds.name_of(source.kind))
        return (found.values_list("problem", flat=True).first() or "") if source.enabled else ""

    @admin.display(description=_("at most, in an hour"))
    def costs(self, source: WallSource) -> str:
        """What the cap stands for."""
        price = kinds.PRICES.get(source.kind)
        if price is None:
            return gettext("nothing")
        if not source.cap:
            return gettext("no limit: ${} to ${} for each post").format(*price)
        return "${:.2f} - ${:.2f}".format(*(source.cap * each for each in price))


@admin.register(SourcePosition)
class SourcePositionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Also of the sources that the settings name."""

    list_display = ("source", "wall", "problem", "cursor", "updated")
    list_select_related = ("wall",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SourcePosition | None = None) -> bool:
        return False


@admin.register(Tweet)
class TweetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("post_id", "author", "excerpt", "source", "wall", "created_at", "state")
    list_filter = ("state", "source", "wall")
    search_fields = ("post_id", "content")
    date_hierarchy = "created_at"
    list_select_related = ("wall",)
    actions = ("hide", "show")
    fields = ("wall", "source", "post_id", "created_at", "received_at", "state", "reason", "raw_json")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # tweets come from sources

    @admin.display(description=_("author"))
    def author(self, tweet: Tweet) -> str:
        return str(tweet.content.get("author_username") or tweet.content.get("author_name", ""))

    @admin.display(description=_("text"))
    def excerpt(self, tweet: Tweet) -> str:
        return str(tweet.content.get("text", ""))[:80]

    @admin.display(description=_("raw JSON"))
    def raw_json(self, tweet: Tweet) -> SafeString:
        return _preformatted(json.dumps(tweet.content, indent=2, ensure_ascii=False))

    @admin.action(description=_("Hide the selected tweets"))
    def hide(self, request: HttpRequest, tweets: QuerySet[Tweet]) -> None:
        self._decide("hide", request, tweets)

    @admin.action(description=_("Show the selected tweets"))
    def show(self, request: HttpRequest, tweets: QuerySet[Tweet]) -> None:
        # What its author has deleted stays away, whatever we think of it.
        self._decide("approve", request, tweets)

    def _decide(self, action: str, request: HttpRequest, tweets: QuerySet[Tweet]) -> None:
        states, number = ACTIONS[action][0], 0
        chosen = list(tweets.filter(state__in=states).order_by("wall_id"))
        for wall, of_wall in groupby(chosen, key=attrgetter("wall")):
            choices = [Choice(str(tweet), tweet.state) for tweet in of_wall]
            act = decide(wall, action, choices, request.user.get_username())
            number += len(act.decided)
            transaction.on_commit(partial(publish_decisions, wall, act.decided))
        text = {"hide": gettext("{} hidden."), "approve": gettext("{} shown.")}[action]
        self.message_user(request, text.format(number))

    def delete_model(self, request: HttpRequest, obj: Tweet) -> None:
        super().delete_model(request, obj)
        _take_down([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Tweet]) -> None:
        chosen = list(queryset)
        super().delete_queryset(request, queryset)
        _take_down(chosen)


@admin.register(RejectedPost)
class RejectedPostAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("post_id", "source", "wall", "reason", "received_at")
    list_filter = ("source", "wall")
    search_fields = ("post_id", "reason", "raw")
    date_hierarchy = "received_at"
    list_select_related = ("wall",)
    fields: ClassVar[Any] = ("wall", "source", "post_id", "reason", "received_at", "raw_json")
    readonly_fields: ClassVar[Any] = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("raw JSON"))
    def raw_json(self, rejected: RejectedPost) -> SafeString:
        return _preformatted(rejected.raw)


def _take_down(tweets: Iterable[Tweet]) -> None:
    """From the open pages, once it is true: a page that reads again must not find them."""
    for tweet in tweets:
        if tweet.state == State.SHOWN:
            webhook_queue.note(tweet.wall, hidden=[tweet.content])
            transaction.on_commit(partial(_notify_pages, tweet))


def _notify_pages(tweet: Tweet) -> None:
    try:
        take_down(tweet.wall, tweet)
    except NoServer:
        return  # then no page is open
    except RealtimeWallError as problem:
        # It is gone from the database, and a page that reloads does not show it.
        logger.error("open pages still show post %s: %s", tweet, problem)


def _preformatted(text: str) -> SafeString:
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)
