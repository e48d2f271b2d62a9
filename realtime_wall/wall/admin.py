"""The wall in Django's admin: look things up, hide a tweet, on the open pages too."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from realtime_wall import NoServer, publish
from realtime_wall.errors import RealtimeWallError
from realtime_wall.wall.models import RejectedPost, Tweet, Wall

logger = logging.getLogger(__name__)


@admin.register(Wall)
class WallAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("slug", "title", "hashtag", "created")
    search_fields = ("slug", "title", "hashtag")


@admin.register(Tweet)
class TweetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("post_id", "author", "excerpt", "source", "wall", "created_at", "hidden")
    list_filter = ("hidden", "source", "wall")
    search_fields = ("post_id", "content")
    date_hierarchy = "created_at"
    list_select_related = ("wall",)
    actions = ("hide", "show")
    fields = ("wall", "source", "post_id", "created_at", "received_at", "hidden", "raw_json")
    readonly_fields = ("wall", "source", "post_id", "created_at", "received_at", "raw_json")

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
        chosen = list(tweets)  # once hidden, a filter may no longer find them
        tweets.update(hidden=True)
        _take_down(chosen)

    @admin.action(description=_("Show the selected tweets"))
    def show(self, request: HttpRequest, tweets: QuerySet[Tweet]) -> None:
        tweets.update(hidden=False)

    def save_model(self, request: HttpRequest, obj: Tweet, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.hidden:
            _take_down([obj])

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
        message = {"id": tweet.post_id, "source": tweet.source}
        transaction.on_commit(partial(_tell_pages, tweet.wall.channel, message))


def _tell_pages(channel: str, message: dict[str, str]) -> None:
    try:
        publish(channel, message, event="tweet_removed")
    except NoServer:
        return  # then no page is open
    except RealtimeWallError as problem:
        # It is hidden in the database, and a page that reloads does not show it.
        logger.error("open pages still show post %s: %s", message["id"], problem)


def _preformatted(text: str) -> SafeString:
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)
