"""Programs in Django's admin: who may ask, who is told, and what they could not be told."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from realtime_wall.wall.post import web_url
from realtime_wall.wall.programs.program_tables import ApiToken, Webhook, WebhookMessage
from realtime_wall.wall.programs.program_token import make_token


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "wall", "may_decide", "may_ban", "may_pin", "created", "seen", "revoked")
    list_filter = ("wall",)
    list_select_related = ("wall",)
    fields = ("name", "wall", "may_decide", "may_ban", "may_pin", "seen", "revoked")
    readonly_fields = ("seen", "revoked")
    actions = ("revoke",)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if not change:
            token, obj.digest = make_token()
            text = gettext("The token is {}: keep it, it cannot be shown again.").format(token)
            messages.warning(request, text)
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Revoke the selected tokens"))
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        number = tokens.filter(revoked=None).update(revoked=timezone.now())
        self.message_user(request, gettext("{} revoked.").format(number))


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if not web_url(url):
            raise forms.ValidationError(gettext("This is no address of a web server."))
        return url


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = WebhookForm
    list_display = ("url", "wall", "enabled", "waiting", "failures", "problem", "due")
    list_filter = ("enabled", "wall")
    list_select_related = ("wall",)
    fields = ("url", "wall", "secret", "enabled", "waiting", "failures", "problem", "due")
    readonly_fields = ("waiting", "failures", "problem", "due")
    actions = ("try_now",)

    @admin.display(description=_("not told yet"))
    def waiting(self, webhook: Webhook) -> int:
        return webhook.messages.filter(problem="").count() if webhook.pk else 0

    @admin.action(description=_("Try again now"))
    def try_now(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        webhooks.update(due=None, enabled=True)


@admin.register(WebhookMessage)
class WebhookMessageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Those that were not told yet, and those that were given up; the rest is gone."""

    list_display = ("created", "webhook", "summary", "attempts", "problem")
    list_filter = ("webhook",)
    list_select_related = ("webhook",)
    fields: ClassVar[Any] = ("webhook", "created", "attempts", "problem", "body_as_sent")
    readonly_fields: ClassVar[Any] = fields
    actions = ("send_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("what it says"))
    def summary(self, message: WebhookMessage) -> str:
        return f"{message.body.get('type')} {message.body.get('data', {}).get('key')}"

    @admin.display(description=_("what it says"))
    def body_as_sent(self, message: WebhookMessage) -> str:
        return json.dumps(message.body, indent=2, ensure_ascii=False)

    @admin.action(description=_("Tell them again"))
    def send_again(self, request: HttpRequest, chosen: QuerySet[WebhookMessage]) -> None:
        chosen.update(problem="", attempts=0, created=timezone.now())
