"""Who may post from a phone? Whoever has the wall's code in front of him.

The code holds an address with a token, made of the site's secret and of the wall's own key. With a new key
all codes of before are void; without one nobody posts.
"""

from __future__ import annotations

import secrets

from django.utils.crypto import constant_time_compare, salted_hmac

from realtime_wall.wall.models import Wall

SALT = "realtime_wall.wall.phone_posts"
SIZE = 24  # hexadecimal digits: short enough for a code that is read across a hall


def token_of(wall: Wall) -> str:
    """Nothing when the wall takes no posts from phones."""
    if not wall.post_key:
        return ""
    return salted_hmac(SALT, f"{wall.slug}:{wall.post_key}", algorithm="sha256").hexdigest()[:SIZE]


def fits(wall: Wall, token: str) -> bool:
    expected = token_of(wall)
    return bool(expected) and constant_time_compare(token, expected)


def new_key() -> str:
    return secrets.token_hex(8)
