"""Every kind of source by its name, and those of the project by their dotted path."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.module_loading import import_string

from realtime_wall.wall.post import web_url
from realtime_wall.wall.sources.replay import SAMPLE, ReplaySource
from realtime_wall.wall.sources.source import Source, SourceRequest

# Posts of these come without being fetched.
SENT = ("webhook",)
NAME_SIZE = 32  # the column of the database
# What a post costs, in dollars: alone, and when its author is paid for as well. X's prices of 2026.
PRICES = {"x": (0.005, 0.015), "x_search": (0.005, 0.015)}
_NAMES = {"x_search": "x"}


def make(kind: str, request: SourceRequest) -> Source:
    """ValueError or ImportError for a kind that there is not, or a request that it cannot take."""
    if kind in _MAKERS:
        return _MAKERS[kind](request)
    if "." not in kind:
        raise ValueError(f"there is no source {kind!r}")
    source: Source = import_string(kind)(request)
    return source


def name_of(kind: str) -> str:
    """The badge of its posts."""
    if kind in _NAMES or "." not in kind:
        return _NAMES.get(kind, kind)
    return str(getattr(import_string(kind), "name", kind))[:NAME_SIZE]


# Each is imported when it is wanted: tweepy takes 20 MB and a third of a second.


def _replay(request: SourceRequest) -> Source:
    options = request.options
    return ReplaySource(options.replay_file or SAMPLE, speed=options.replay_speed, loop=options.replay_loop)


def _x(request: SourceRequest) -> Source:
    from realtime_wall.wall.sources.x.shared_stream import share_of

    return share_of(request)


def _x_search(request: SourceRequest) -> Source:
    from realtime_wall.wall.sources.x.recent_search import XSearchSource

    options = request.options
    return XSearchSource(
        options.bearer_token, request.keywords, request.users, since=request.cursor, every=options.poll_every
    )


def _mastodon(request: SourceRequest) -> Source:
    from realtime_wall.wall.sources.mastodon import MastodonSource

    options = request.options
    url = request.address or options.mastodon_url
    # The token is of the server that the settings name, and of no other.
    is_ours = url == options.mastodon_url
    return MastodonSource(
        url,
        request.keywords,
        token=options.mastodon_token if is_ours else "",
        since=request.cursor,
        every=options.poll_every,
        private_hosts=None if is_ours else options.private_hosts,
    )


def _bluesky(request: SourceRequest) -> Source:
    from realtime_wall.wall.sources.bluesky import BlueskySource

    options = request.options
    url = request.address or options.jetstream_url
    return BlueskySource(
        request.keywords,
        request.users,
        cursor=request.cursor,
        url=url,
        private_hosts=None if url == options.jetstream_url else options.private_hosts,
    )


def _rss(request: SourceRequest) -> Source:
    from realtime_wall.wall.sources.rss.rss_source import RssSource

    options = request.options
    urls = request.address.split() or options.rss_urls
    for url in urls:
        if not web_url(url):
            raise ValueError(f"{url[:80]!r} is no address of a feed")
    return RssSource(urls, every=options.rss_every, private_hosts=options.private_hosts)


_MAKERS: dict[str, Callable[[SourceRequest], Source]] = {
    "replay": _replay,
    "x": _x,
    "x_search": _x_search,
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "rss": _rss,
}
