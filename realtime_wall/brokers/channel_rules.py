"""The rules for channels of this site: of its apps and of the setting, over what is set for all channels."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from realtime_wall.channels.rules import Rule, Rules
from realtime_wall.config import Config


def rules_of(config: Config) -> Rules:
    everywhere = Rule(
        history_size=config.history_size,
        history_bytes=config.history_bytes,
        history_age=config.history_age,
    )
    # A pattern for all channels is not meant for those of an app, nor for the next; one of their own is.
    own = {pattern: config.channels.get(pattern, options) for pattern, options in _rules_of_apps().items()}
    if config.events_channel:  # it has who is where
        name = config.events_channel
        own[name] = {"READ": "staff", **config.channels.get(name, {}), "WRITE": False}
    others = {pattern: options for pattern, options in config.channels.items() if pattern not in own}
    return Rules({**own, **others}, everywhere)


def _rules_of_apps() -> dict[str, dict[str, Any]]:
    """What an app says about its own channels: ``channel_rules`` of its AppConfig."""
    if not apps.apps_ready:
        return {}
    found = (getattr(app, "channel_rules", {}) for app in apps.get_app_configs())
    return {pattern: options for of_app in found for pattern, options in of_app.items()}
