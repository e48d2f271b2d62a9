"""What is kept for programs: who may ask, who is told, and what they have not been told yet."""

from __future__ import annotations

import base64
import secrets
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

WALL = "realtime_wall_wall.Wall"


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


class ApiToken(models.Model):
    """Of a program that moderates; of the token itself only its hash is kept."""

    name = models.CharField(_("name"), max_length=100, help_text=_("It stands in the trail of decisions."))
    wall: models.ForeignKey[Any, Any] = models.ForeignKey(
        WALL,
        models.CASCADE,
        related_name="tokens",
        verbose_name=_("wall"),
        null=True,
        blank=True,
        help_text=_("Empty for every wall."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    may_decide = models.BooleanField(_("shows and hides"), default=True)
    may_ban = models.BooleanField(_("bans"), default=False)
    may_pin = models.BooleanField(_("pins"), default=False)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    seen = models.DateTimeField(_("last seen"), null=True, blank=True, editable=False)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("token of a program")
        verbose_name_plural = _("tokens of programs")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.name


class Webhook(models.Model):
    """A program that is told when a post is shown, or no longer."""

    wall: models.ForeignKey[Any, Any] = models.ForeignKey(
        WALL,
        models.CASCADE,
        related_name="webhooks",
        verbose_name=_("wall"),
        null=True,
        blank=True,
        help_text=_("Empty for every wall."),
    )
    url = models.CharField(_("address"), max_length=500)
    secret = models.CharField(
        _("secret"), max_length=200, default=new_secret, help_text=_("What is sent is signed with it.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    # Of failures in a row; empty when all is well.
    problem = models.CharField(_("problem"), max_length=300, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures"), default=0, editable=False)
    due = models.DateTimeField(_("tried again at"), null=True, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.url


class WebhookMessage(models.Model):
    """What a webhook is to be told, until it has been; and what it could not be told."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="messages", verbose_name=_("webhook"))
    body = models.JSONField(_("what it says"))
    created = models.DateTimeField(_("created"), auto_now_add=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    problem = models.CharField(_("problem"), max_length=300, blank=True)  # why it was given up

    class Meta:
        verbose_name = _("message to a webhook")
        verbose_name_plural = _("messages to webhooks")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["webhook", "id"], name="unsent_webhook_messages", condition=models.Q(problem="")
            )
        ]

    def __str__(self) -> str:
        return f"msg_{self.pk}"
