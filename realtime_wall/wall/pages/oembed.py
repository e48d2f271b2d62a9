"""How does X itself draw a post? Asked of X's oEmbed service, and remembered.

What comes back is a stranger's markup. It is shown in a sandboxed frame of its own and nowhere else.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from django.core.cache import cache
from gevent.lock import BoundedSemaphore

from realtime_wall.wall.untrusted_json import load_json

logger = logging.getLogger(__name__)

is_id = re.compile(r"[0-9]{1,20}").fullmatch
TIMEOUT = 5.0  # seconds
GOOD_FOR, BAD_FOR = 24 * 3600, 60
LONGEST = 64 * 1024  # bytes of an answer; X's have two or three thousand
AT_ONCE = 4
NOTHING = "-"  # what is remembered of a post that cannot be had: a cache cannot tell "" from not knowing

_free = BoundedSemaphore(AT_ONCE)


def markup(address: str, post_id: str, theme: str) -> str:
    """X's markup for its post with this number, without a script; or nothing."""
    key = f"realtime_wall.oembed.{post_id}.{theme}"
    known: str | None = cache.get(key)
    if known is not None:
        return "" if known == NOTHING else known
    if not _free.acquire(timeout=TIMEOUT):
        return ""
    try:
        found = _ask(address, post_id, theme)
    finally:
        _free.release()
    cache.set(key, found or NOTHING, GOOD_FOR if found else BAD_FOR)
    return found


def _ask(address: str, post_id: str, theme: str) -> str:
    try:
        import requests  # here: most sites never ask
    except ImportError:
        logger.error('X cannot be asked to draw posts: pip install "realtime-wall[wall]"')
        return ""

    query = {
        "url": f"https://x.com/i/status/{post_id}",
        "omit_script": "1",
        "dnt": "true",
        "hide_thread": "1",
        "theme": theme,
    }
    try:
        with requests.get(address, query, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                logger.info("X does not draw post %s: %s", post_id, answer.status_code)
                return ""
            body = answer.raw.read(LONGEST + 1, decode_content=True)
        if len(body) > LONGEST:
            raise ValueError(f"more than {LONGEST} bytes")
        found: Any = load_json(body)
        drawn = found["html"]
        return drawn if isinstance(drawn, str) else ""
    except (requests.RequestException, OSError, ValueError, LookupError, TypeError) as problem:
        logger.warning("X did not draw post %s: %s", post_id, problem)
        return ""
