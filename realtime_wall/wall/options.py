"""The settings of the wall, ``REALTIME_WALL["WALL"]``: names, defaults, meanings, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.module_loading import import_string

from realtime_wall import config

KNOWN_SOURCES = ("replay", "x", "x_search", "mastodon", "bluesky", "rss", "webhook")
JETSTREAM = "wss://jetstream.us-east.bsky.network"
# Secrets that the environment may have, under the same name.
FROM_THE_ENVIRONMENT = (
    "BEARER_TOKEN",
    "MASTODON_TOKEN",
    "WEBHOOK_SECRET",
    "CONSUMER_KEY",
    "CONSUMER_SECRET",
    "ACCESS_TOKEN",
    "ACCESS_SECRET",
)
SECRET_SIZE = 16  # so that it is not guessed
WORD_SIZE = 500  # a rule of X holds twice as much


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    # Where posts come from: names, or dotted paths to sources of your own. Without any, nothing is started.
    sources: tuple[str, ...] = ()

    # The recorded file that "replay" plays (JSON lines, as X's API v2 streams them); None is the sample
    # that comes with the wall. A speed of 2 plays an hour in half an hour.
    replay_file: str | Path | None = None
    replay_speed: float = 1.0
    replay_loop: bool = False

    # What the others ask for: words, #hashtags, "several words" as a phrase; names or ids of users.
    track_keywords: tuple[str, ...] = ()
    track_users: tuple[str | int, ...] = ()
    # X's app-only token; the environment variable BEARER_TOKEN does as well.
    bearer_token: str = ""

    # How often "x_search" and "mastodon" ask, in seconds.
    poll_every: float = 30.0
    # So many posts in an hour, from each source; then it rests until the hour is over. 0 for no limit.
    posts_per_hour: int = 0

    # The server that "mastodon" asks, such as "https://mastodon.example", and a user's token for its stream.
    mastodon_url: str = ""
    mastodon_token: str = ""
    # The server that "bluesky" listens to.
    jetstream_url: str = JETSTREAM
    # The feeds that "rss" asks, and how often, in seconds.
    rss_urls: tuple[str, ...] = ()
    rss_every: float = 300.0
    # Hosts that are not of the public internet, and may be asked all the same by "rss" and told by webhooks:
    # names or addresses, as they stand in the address or as they are found.
    private_hosts: tuple[str, ...] = ()
    # What a program has to know to post by "webhook".
    webhook_secret: str = ""
    # Whether it has to sign with that, and never sends it.
    webhook_signed: bool = False

    # Whether visitors may search for words of their own; and how many different ones are asked of X.
    visitors: bool = False
    visitors_on_x: int = 0

    # A socket server elsewhere, "wss://live.example.org/ws/"; empty for the page's own site.
    websocket_server: str = ""
    # The Content-Security-Policy of its pages, in place of ours; "none" for none.
    content_security_policy: str = ""
    # A file for the log, where the project's LOGGING has no place for it.
    logfile: str | Path | None = None

    # Where the search page has X's posts drawn by X, "https://publish.x.com/oembed"; empty for our own cards.
    oembed_url: str = ""

    # What "manage.py lister" signs its requests with, and the list of X's that it fills.
    consumer_key: str = ""
    consumer_secret: str = ""
    access_token: str = ""
    access_secret: str = ""
    twitter_list: str = ""

    # Names of users whose posts, and whose retweets, are never taken.
    banned_users: tuple[str, ...] = ()


def current() -> Options:
    """The project's options; one that makes no sense is left at its default, as the checks have said."""
    settings = config.current().wall
    bad = {key for key, _ in problems(settings)}
    good = {key.lower(): value for key, value in settings.items() if key not in bad}
    good = {key: tuple(value) if isinstance(value, list) else value for key, value in good.items()}
    options: dict[str, Any] = {name.lower(): os.environ.get(name, "") for name in FROM_THE_ENVIRONMENT}
    return Options(**options | {key: value for key, value in good.items() if value})


def problems(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the settings, as (key, sentence)."""
    found = []
    for key, value in settings.items():
        if key not in _RULES:
            found.append((key, "is not a setting of the wall; these are: " + ", ".join(_RULES)))
        elif sentence := _RULES[key](value):
            found.append((key, sentence))
    sources = settings.get("SOURCES")
    if isinstance(sources, (list, tuple)) and not any(key == "SOURCES" for key, _ in found):
        found += [("SOURCES", sentence) for name in sources if (sentence := _lacks(name, settings))]
    return found


def _lacks(name: str, settings: Mapping[str, Any]) -> str:
    """What a source cannot do without."""
    keywords, users = settings.get("TRACK_KEYWORDS"), settings.get("TRACK_USERS")
    if name in ("x", "x_search") and not (keywords or users):
        return f"has {name!r}, but nothing to ask it for: Set at least TRACK_KEYWORDS or TRACK_USERS"
    if name in ("mastodon", "bluesky") and not keywords:
        return f"has {name!r}, but nothing to ask it for: Set TRACK_KEYWORDS"
    if name == "mastodon" and not settings.get("MASTODON_URL"):
        return "has 'mastodon', but no server to ask: Set MASTODON_URL"
    if name == "rss" and not settings.get("RSS_URLS"):
        return "has 'rss', but no feed to ask: Set RSS_URLS"
    return ""


def _sources(value: object) -> str:
    if sentence := _list_of(str)(value):
        return sentence
    assert isinstance(value, (list, tuple))
    return next(filter(None, map(unknown_source, value)), "")


def unknown_source(name: str) -> str:
    """Why there is no such source, or nothing."""
    if name in KNOWN_SOURCES:
        return ""
    if "." not in name:
        return f"has {name!r}; known sources are {', '.join(KNOWN_SOURCES)}, or the dotted path of your own"
    try:
        import_string(name)
    except ImportError as problem:
        return f"has {name!r}, which cannot be imported: {problem}"
    return ""


def _list_of(*kinds: type) -> Callable[[object], str]:
    def fits(item: object) -> bool:
        good_kind = isinstance(item, kinds) and not isinstance(item, bool)
        return good_kind and 0 < len(str(item).strip()) <= WORD_SIZE

    def check(value: object) -> str:
        if not isinstance(value, (list, tuple)):
            return f"must be a list, not {value!r}"
        bad = [item for item in value if not fits(item)]
        return f"cannot hold {str(bad[0])[:60]!r}" if bad else ""

    return check


def _file(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, (str, Path)):
        return f"must be a path or None, not {value!r}"
    return "" if Path(value).is_file() else f"names no file: {value}"


def _new_file(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, (str, Path)) or not str(value):
        return f"must be a path or None, not {value!r}"
    path = Path(value)
    if path.is_dir():
        return f"names a folder: {value}"
    return "" if path.parent.is_dir() else f"is in a folder that is not there: {value}"


def _speed(value: object) -> str:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")
    return "" if fits else f"must be a number above 0, not {value!r}"


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else f"must be True or False, not {value!r}"


def _token(value: object) -> str:
    # The value is not shown: it may be a secret in the wrong type.
    return "" if value is None or isinstance(value, str) else "must be a string"


def _seconds(least: int, most: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most
        return "" if fits else f"must be from {least} to {most} seconds, not {value!r}"

    return check


def _count(value: object) -> str:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    return "" if fits else f"must be a whole number, 0 for no limit, not {value!r}"


def _header(value: object) -> str:
    fits = isinstance(value, str) and value.isascii() and value.isprintable()
    return "" if fits else "must be one line of ASCII, as the header has it"


def _address(*schemes: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            return f"must be an address, not {value!r}"
        try:
            parts = urlsplit(value)
        except ValueError:
            return f"must be an address, not {value!r}"
        fits = not value or (parts.scheme in schemes and parts.hostname)
        return "" if fits else f"must begin with {schemes[0]}://, not be {value!r}"

    return check


def _addresses(*schemes: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        sentence = _list_of(str)(value)
        if sentence or not isinstance(value, (list, tuple)):
            return sentence
        return next(filter(None, map(_address(*schemes), value)), "")

    return check


def _secret(value: object) -> str:
    if value is None or value == "":
        return ""
    fits = isinstance(value, str) and len(value) >= SECRET_SIZE
    return "" if fits else f"must be a string of {SECRET_SIZE} characters at least"


_RULES: dict[str, Callable[[object], str]] = {
    "SOURCES": _sources,
    "REPLAY_FILE": _file,
    "REPLAY_SPEED": _speed,
    "REPLAY_LOOP": _flag,
    "TRACK_KEYWORDS": _list_of(str),
    "TRACK_USERS": _list_of(str, int),
    "BEARER_TOKEN": _token,
    "POLL_EVERY": _seconds(2, 3600),
    "POSTS_PER_HOUR": _count,
    "MASTODON_URL": _address("https", "http"),
    "MASTODON_TOKEN": _token,
    "JETSTREAM_URL": _address("wss", "ws"),
    "RSS_URLS": _addresses("https", "http"),
    "RSS_EVERY": _seconds(60, 86_400),
    "PRIVATE_HOSTS": _list_of(str),
    "WEBHOOK_SECRET": _secret,
    "WEBHOOK_SIGNED": _flag,
    "VISITORS": _flag,
    "VISITORS_ON_X": _count,
    "WEBSOCKET_SERVER": _address("wss", "ws"),
    "CONTENT_SECURITY_POLICY": _header,
    "LOGFILE": _new_file,
    "OEMBED_URL": _address("https", "http"),
    "CONSUMER_KEY": _token,
    "CONSUMER_SECRET": _token,
    "ACCESS_TOKEN": _token,
    "ACCESS_SECRET": _token,
    "TWITTER_LIST": _token,
    "BANNED_USERS": _list_of(str),
}
assert {name.lower() for name in _RULES} == {item.name for item in fields(Options)}
