"""Which words of the projects that this one continues does a site still have, and what does it say instead?

It reads the settings, and the modules, templates and scripts of the site's own apps: what is installed
among other packages is somebody else's. ``docs/howto/upgrade.rst`` has the whole list.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings

_OURS, _WALL = "REALTIME_WALL[{!r}]", "REALTIME_WALL['WALL'][{!r}]"
_TOKEN = "BEARER_TOKEN in the environment"
SETTINGS = {
    "SOCKETIO_HOST": _OURS.format("HOST"),
    "SOCKETIO_PORT": _OURS.format("PORT"),
    "SOCKETIO_MESSAGE_LOG_FORMAT": _OURS.format("MESSAGE_LOG_FORMAT"),
    "TWITTER_USERNAME": _TOKEN,
    "TWITTER_PASSWORD": _TOKEN,
    "TOKEN_KEY": "ACCESS_TOKEN in the environment",
    "TOKEN_SECRET": "ACCESS_SECRET in the environment",
    "WEB_SERVER": _OURS.format("ALLOWED_ORIGINS"),
    **{
        name: _WALL.format(name)
        for name in ("TWITTER_LIST", "TRACK_KEYWORDS", "TRACK_USERS", "BANNED_USERS", "WEBSOCKET_SERVER")
    },
}


class Word(NamedTuple):
    pattern: re.Pattern[str]
    instead: str


def _words(*pairs: tuple[str, str]) -> tuple[Word, ...]:
    return tuple(Word(re.compile(pattern, re.MULTILINE), instead) for pattern, instead in pairs)


IN_MODULES = _words(
    (r"^\s*(?:from|import) realtime\b", "from realtime_wall ..., the same names"),
    (r"^\s*(?:from|import) django_socketio\b", "from realtime_wall ..., the same names"),
    (r"^\s*(?:from|import) twitsocket\b", "from realtime_wall.wall ..."),
    (
        r"^\s*(?:from|import) channels\.",
        "on_connect and on_event of realtime_wall.events, in an app's events.py",
    ),
    (r"^\s*from tweepy.* import .*\bStreamListener\b", "REALTIME_WALL['WALL']['SOURCES'] with 'x'"),
    (r"include\(['\"](?:realtime|django_socketio)\.urls", 'include("realtime_wall.urls")'),
    (r"\bnamespace\.broadcast_event(?:_not_me)?\b", "socket.broadcast_emit"),
)
IN_PAGES = _words(
    (r"\{% *flash_hack *%\}", "nothing: every browser has WebSockets"),
    (r"\bnew io\.Socket\(", "io()"),
    (r"\bio\.connect\(null\b", "io(), with its options as the only argument"),
    (r"['\"]flashsocket['\"]", "nothing: every browser has WebSockets"),
    (r"['\"]xhr-polling['\"]", "'polling'"),
    (r"/ws/map/", "/ws/"),
    (r"publish\.twitter\.com/oembed", "REALTIME_WALL['WALL']['OEMBED_URL']"),
)
WORDS_OF = {".py": IN_MODULES, ".html": IN_PAGES, ".js": IN_PAGES}
# A site's own code is smaller; what is larger is a bundle, or data.
FILES, BYTES = 2000, 200_000
PASSED_OVER = {"node_modules", "migrations", "site-packages", "dist-packages", "__pycache__"}


def in_settings() -> Iterator[tuple[str, str]]:
    """(the setting's name, what is said instead)"""
    return ((name, instead) for name, instead in SETTINGS.items() if hasattr(settings, name))


def in_files() -> Iterator[tuple[str, str, str]]:
    """(file and line, what stands there, what is said instead)"""
    for path in _files():
        text = path.read_text(errors="replace")
        for pattern, instead in WORDS_OF[path.suffix]:
            if found := pattern.search(text):
                line = text.count("\n", 0, found.end()) + 1
                yield f"{path}:{line}", found[0].strip(), instead


def _files() -> Iterator[Path]:
    """Those of the project, each once; of a very large one the first of them."""
    seen: set[Path] = set()
    for folder in _folders():
        for path in _files_below(folder):
            if path not in seen:
                seen.add(path)
                yield path
            if len(seen) >= FILES:
                return


def _folders() -> Iterator[str]:
    for app in apps.get_app_configs():
        if app.name.partition(".")[0] not in ("django", "realtime_wall"):
            yield app.path
    for engine in settings.TEMPLATES:
        dirs: Any = engine.get("DIRS", ())
        yield from map(str, dirs)


def _files_below(folder: str) -> Iterator[Path]:
    if PASSED_OVER & set(Path(folder).parts):
        return
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in PASSED_OVER and not name.startswith(".")]
        for path in (Path(where, name) for name in names):
            if path.suffix in WORDS_OF and path.is_file() and path.stat().st_size <= BYTES:
                yield path
