"""The settings of the wall, ``REALTIME_WALL["WALL"]``: names, defaults, meanings, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from realtime_wall import config

KNOWN_SOURCES = ("replay", "x")
WORD_SIZE = 500  # a rule of X holds twice as much


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    # Where posts come from: "replay", "x". Without any, nothing is started.
    sources: tuple[str, ...] = ()

    # The recorded file that "replay" plays (JSON lines, as X's API v2 streams them); None is the sample
    # that comes with the wall. A speed of 2 plays an hour in half an hour.
    replay_file: str | Path | None = None
    replay_speed: float = 1.0
    replay_loop: bool = False

    # What "x" asks for: words, #hashtags, "several words" as a phrase; names or ids of users.
    track_keywords: tuple[str, ...] = ()
    track_users: tuple[str | int, ...] = ()
    # X's app-only token; the environment variable BEARER_TOKEN does as well.
    bearer_token: str = ""

    # Names of users whose posts, and whose retweets, are never taken.
    banned_users: tuple[str, ...] = ()


def current() -> Options:
    """The project's options; one that makes no sense is left at its default, as the checks have said."""
    settings = config.current().wall
    bad = {key for key, _ in problems(settings)}
    good = {key.lower(): value for key, value in settings.items() if key not in bad}
    good = {key: tuple(value) if isinstance(value, list) else value for key, value in good.items()}
    options: dict[str, Any] = {"bearer_token": os.environ.get("BEARER_TOKEN", "")}
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
    tracks = settings.get("TRACK_KEYWORDS") or settings.get("TRACK_USERS")
    if isinstance(sources, (list, tuple)) and "x" in sources and not tracks:
        found.append(
            ("SOURCES", "has 'x', but nothing to ask it for: Set at least TRACK_KEYWORDS or TRACK_USERS")
        )
    return found


def _sources(value: object) -> str:
    if sentence := _list_of(str)(value):
        return sentence
    assert isinstance(value, (list, tuple))
    unknown = [name for name in value if name not in KNOWN_SOURCES]
    return f"has {unknown[0]!r}; known sources are {', '.join(KNOWN_SOURCES)}" if unknown else ""


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


def _speed(value: object) -> str:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")
    return "" if fits else f"must be a number above 0, not {value!r}"


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else f"must be True or False, not {value!r}"


def _token(value: object) -> str:
    # The value is not shown: it may be a secret in the wrong type.
    return "" if value is None or isinstance(value, str) else "must be a string"


_RULES: dict[str, Callable[[object], str]] = {
    "SOURCES": _sources,
    "REPLAY_FILE": _file,
    "REPLAY_SPEED": _speed,
    "REPLAY_LOOP": _flag,
    "TRACK_KEYWORDS": _list_of(str),
    "TRACK_USERS": _list_of(str, int),
    "BEARER_TOKEN": _token,
    "BANNED_USERS": _list_of(str),
}
assert {name.lower() for name in _RULES} == {item.name for item in fields(Options)}
