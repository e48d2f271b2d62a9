"""The rules for channels of this site: those of the setting, over what is set for all channels alike."""

from __future__ import annotations

from realtime_wall.channels.rules import Rule, Rules
from realtime_wall.config import Config


def rules_of(config: Config) -> Rules:
    everywhere = Rule(
        history_size=config.history_size,
        history_bytes=config.history_bytes,
        history_age=config.history_age,
    )
    if not config.events_channel:
        return Rules(config.channels, everywhere)
    # A pattern for all channels is not meant for this one: it has who is where.
    name = config.events_channel
    own = {"READ": "staff", **config.channels.get(name, {}), "WRITE": False}
    others = {pattern: options for pattern, options in config.channels.items() if pattern != name}
    return Rules({name: own, **others}, everywhere)
