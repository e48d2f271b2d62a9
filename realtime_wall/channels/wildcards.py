"""Which names stand for several channels? ``news*``: all that begin so and have the rule that allows it.

A rule allows it by ``WILDCARDS``: so many of them for one connection. Channels with a rule of their own are
not among those that are meant, so that nobody is sent by a wildcard what he may not read by its name.
"""

from __future__ import annotations

from collections.abc import Collection

from realtime_wall.channels.names import check_channel
from realtime_wall.channels.rules import Rules
from realtime_wall.errors import InvalidChannel


def is_wildcard(name: str) -> bool:
    # What begins with a star is of our own.
    return name[-1:] == "*" and name[0] != "*"


def means(wildcard: str, channel: str, rules: Rules) -> bool:
    return channel.startswith(wildcard[:-1]) and rules.of(channel) is rules.of(wildcard)


def is_among(channel: str, names: Collection[str]) -> bool:
    """Whether a channel is one of those names, or begins as one of the wildcards among them does."""
    if channel in names:
        return True
    return any(is_wildcard(name) and channel.startswith(name[:-1]) for name in names)


def check_subscribable(name: object, rules: Rules, already: Collection[str] = ()) -> str:
    """The name of a channel or a wildcard, unchanged; InvalidChannel says why it cannot be subscribed to."""
    if not isinstance(name, str) or not name or not is_wildcard(name):
        return check_channel(name)
    check_channel(name[:-1])
    rule = rules.of(name)  # a star of a rule stands for this one, too
    if not rule.wildcards:
        raise InvalidChannel(name, "no rule has WILDCARDS for it")
    allowed_by_it = [one for one in already if one != name and is_wildcard(one) and rules.of(one) is rule]
    if len(allowed_by_it) >= rule.wildcards:
        raise InvalidChannel(name, f"a connection may have {rule.wildcards} wildcards here")
    return name
