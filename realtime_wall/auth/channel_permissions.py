"""Who may read a channel, and who may write on it? Its rule says it, about a request.

A rule names everybody or nobody (True, False), one of the words "all", "nobody", "users" (signed in),
"staff" and "token" (who has one: :mod:`channel_token`), a function of the project's or its dotted path,
called with the request and the channel, or a list of these, of which one is enough.
"""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest
from django.utils.module_loading import import_string

from realtime_wall.async_functions import result_of
from realtime_wall.auth import channel_token
from realtime_wall.channels.rules import WORDS, Rule, Who, each

log = logging.getLogger(__name__)

# Over HTTP, where the rule does not say who may write. Over a socket nobody may.
WRITERS: Who = ["staff", "token"]


def may_read(rule: Rule, request: HttpRequest, channel: str, token: object = None) -> bool:
    return _may(rule.read, request, channel, token, write=False)


def may_write(rule: Rule, request: HttpRequest, channel: str, token: object = None) -> bool:
    """Over HTTP; a member of the staff has to have passed Django's CSRF check besides."""
    return _may(WRITERS if rule.write is None else rule.write, request, channel, token, write=True)


def may_write_openly(rule: Rule, request: HttpRequest, channel: str, token: object = None) -> bool:
    """Whether everybody may, or this token's bearer: then it does not matter who a cookie says it is."""
    return any(
        _may(one, request, channel, token, write=True)
        for one in each(WRITERS if rule.write is None else rule.write)
        if one is True or one in ("all", "token")
    )


def may_write_by_socket(rule: Rule, request: HttpRequest, channel: str, token: object = None) -> bool:
    return rule.write is not None and may_write(rule, request, channel, token)


def _may(who: Who, request: HttpRequest, channel: str, token: object, *, write: bool) -> bool:
    if isinstance(who, (list, tuple)):
        return any(_may(one, request, channel, token, write=write) for one in each(who))
    if isinstance(who, bool) or who is None:
        return bool(who)
    if who in WORDS:
        return _fits_word(str(who), request, channel, token, write=write)
    try:
        function = import_string(who) if isinstance(who, str) else who
        return bool(result_of(function(request, channel)))
    except Exception:
        log.exception("the rule of channel %r failed: nobody is let in by it", channel)
        return False


def _fits_word(word: str, request: HttpRequest, channel: str, token: object, *, write: bool) -> bool:
    if word in ("all", "nobody"):  # a client that has returned by a ticket has no user until it is asked for
        return word == "all"
    user: Any = getattr(request, "user", None)
    match word:
        case "token":
            return channel_token.allows(token, channel, write=write, user=user)
        case "users":
            return bool(user is not None and user.is_authenticated)
        case _:
            return bool(user is not None and user.is_active and user.is_staff)
