"""What the moderators have decided, and by which rules, in Django's admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from realtime_wall.wall.changes.change_table import WallChange
from realtime_wall.wall.models import Ban, Decision, Display, Phrase, Screen


@admin.register(Decision)
class DecisionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The audit trail; nobody writes in it."""

    list_display = ("at", "by", "action", "key", "was", "became", "reason", "screens", "wall")
    list_filter = ("action", "by", "wall")
    search_fields = ("key", "by")
    date_hierarchy = "at"
    list_select_related = ("wall",)
    fields: ClassVar[Any] = (*list_display, "act", "is_published")
    readonly_fields: ClassVar[Any] = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Decision | None = None) -> bool:
        return False


@admin.register(WallChange)
class WallChangeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The trail of what was changed of the walls themselves."""

    list_display = ("at", "by", "action", "was", "became", "wall")
    list_filter = ("action", "by", "wall")
    list_select_related = ("wall",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WallChange | None = None) -> bool:
        return False


@admin.register(Ban)
class BanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "username", "source", "wall", "until", "by", "at")
    list_filter = ("wall", "source")
    search_fields = ("name", "username")
    list_select_related = ("wall",)
    readonly_fields = ("by", "at")

    def save_model(self, request: HttpRequest, obj: Ban, form: Any, change: bool) -> None:
        """For what he posts from now on; what he has posted is hidden by the desk, or one by one."""
        obj.by = obj.by or request.user.get_username()
        super().save_model(request, obj, form, change)


@admin.register(Phrase)
class PhraseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("text", "is_allowed", "wall")
    list_filter = ("is_allowed", "wall")
    search_fields = ("text",)
    list_select_related = ("wall",)


@admin.register(Screen)
class ScreenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "wall", "seen", "is_visible", "layout", "post", "ahead")
    list_filter = ("wall",)
    list_select_related = ("wall",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # they come by themselves


@admin.register(Display)
class DisplayAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The proof of what was shown; nobody writes in it."""

    list_display = ("screen", "key", "since", "until", "is_visible", "wall")
    list_filter = ("screen", "is_visible", "wall")
    search_fields = ("key",)
    date_hierarchy = "since"
    list_select_related = ("wall",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Display | None = None) -> bool:
        return False
