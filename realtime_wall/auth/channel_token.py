"""A signed word of the site's own: its bearer may read, or write on, these channels until then.

A page gets it from a view, and gives it when it subscribes or publishes. It says nothing secret, and
cannot be changed. One that names a user is of use to that user only.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core import signing

from realtime_wall.channels.rules import matcher

SALT = "realtime_wall.channel"
LONGEST = 2048  # of what a stranger gives for one


def channel_token(pattern: str, *, write: bool = False, user: Any = None, max_age: float = 3600.0) -> str:
    """A token for the channels that fit the pattern, which may have a ``*``.

    It lasts ``max_age`` seconds. With ``write`` it allows to publish, too. It is asked for where a
    channel's rule has the word "token" among those who may read, or write.
    """
    fields = {"c": pattern, "x": int(time.time() + max_age)}
    if write:
        fields["w"] = 1
    if user is not None:
        fields["u"] = str(user.pk)
    return signing.dumps(fields, salt=SALT)


@lru_cache(1000)  # a program publishes with one token again and again; only true ones are kept
def _read(token: str, key: str) -> Any:
    return signing.loads(token, key=key, salt=SALT)


def allows(token: object, channel: str, *, write: bool, user: Any) -> bool:
    """Whether it is a token of ours, for this channel and this user, and still good."""
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST:
        return False
    try:
        fields = _read(token, settings.SECRET_KEY)
    except signing.BadSignature:
        return False
    if fields["x"] < time.time() or (write and not fields.get("w")):
        return False
    if "u" in fields and (user is None or not user.is_authenticated or str(user.pk) != fields["u"]):
        return False
    return matcher(fields["c"])(channel)
