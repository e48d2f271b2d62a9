"""What waits in the outbox, and what was put aside, for the staff to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from realtime_wall.outbox.models import OutboxMessage

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[OutboxMessage]
else:
    _Admin = admin.ModelAdmin


@admin.register(OutboxMessage)
class OutboxAdmin(_Admin):
    list_display = ("id", "created_at", "command", "problem")
    list_filter = (("problem", admin.EmptyFieldListFilter),)
    readonly_fields = ("command", "created_at", "problem")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
