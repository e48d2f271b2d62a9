"""Which Redis is meant by the setting ``BROKER``, and how is it connected to?

redis-py is imported only where a Redis is set: it comes with the extra ``realtime-wall[redis]``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from redis.connection import ConnectionPool

SCHEMES = ("redis", "rediss", "unix")
CONNECT_TIMEOUT = 2.0


def problem(url: str) -> str | None:
    """What is wrong with it, as the end of a sentence that begins with its name."""
    if not url:
        return None
    scheme, colon, _ = url.partition("://")
    if not colon or scheme not in SCHEMES:
        return f"has to begin with {', '.join(f'{scheme}://' for scheme in SCHEMES)}, or to be empty"
    if find_spec("redis") is None:
        return "needs redis-py, which is not installed: pip install realtime-wall[redis]"
    try:
        _pool(url)
    except ValueError:  # it quotes what may be a password
        return "is no address that redis-py can read: redis://host:6379/0"
    return None


def is_bad_prefix(prefix: str) -> bool:
    """Whether it cannot be the hash tag that all our keys have."""
    return not prefix or any(character in "{}" or character.isspace() for character in prefix)


def shown(url: str) -> str:
    """The address without what is secret in it, for a log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def pool(url: str, timeout: float) -> ConnectionPool:
    """Makes connections. None of them tries again by itself: whoever uses them knows whether it may."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return _pool(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, CONNECT_TIMEOUT),
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        health_check_interval=0,
        protocol=2,  # a server that knows no other answers HELLO by an error
    )


def _pool(url: str, **options: Any) -> ConnectionPool:
    from redis.connection import ConnectionPool

    if url.startswith("unix://"):  # its connections know no such options
        options = {
            key: value
            for key, value in options.items()
            if key not in ("socket_connect_timeout", "socket_keepalive")
        }
    return ConnectionPool.from_url(url, **options)
