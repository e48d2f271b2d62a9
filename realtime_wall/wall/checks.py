"""Says at start what is wrong with the wall's settings, and with the names of its walls."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError

from realtime_wall import config
from realtime_wall.wall import options
from realtime_wall.wall.models import Wall
from realtime_wall.wall.urls import taken_names

# What a source is read with; it comes with the extra "wall".
PACKAGES = {
    "x": ("tweepy", "requests"),
    "x_search": ("tweepy", "requests"),
    "mastodon": ("requests",),
    "bluesky": ("requests",),
    "rss": ("feedparser", "requests"),
}
NEEDED = {"x": "BEARER_TOKEN", "x_search": "BEARER_TOKEN", "webhook": "WEBHOOK_SECRET"}


def check_options(**_: Any) -> list[CheckMessage]:
    # Tables need none of our settings: they are made whatever is wrong with those.
    kind = Warning if "migrate" in sys.argv[1:2] else Error
    found: list[CheckMessage] = [
        kind(f"REALTIME_WALL['WALL']['{key}'] {sentence}.", id="realtime_wall.wall.E001")
        for key, sentence in options.problems(config.current().wall)
    ]
    chosen = options.current()
    # A warning only: commands such as migrate run where the environment has no secrets.
    for name, secret in NEEDED.items():
        if name in chosen.sources and not getattr(chosen, secret.lower()):
            found.append(
                Warning(
                    f"The source {name!r} has no {'secret' if name == 'webhook' else 'token'}.",
                    hint=f"Set {secret} in REALTIME_WALL['WALL'] or in the environment.",
                    id="realtime_wall.wall.W001",
                )
            )
    found += [
        kind(
            f"The source {name!r} needs the package {package}.",
            hint='Install it: pip install "realtime-wall[wall]"',
            id="realtime_wall.wall.E002",
        )
        for name in chosen.sources
        for package in PACKAGES.get(name, ())
        if find_spec(package) is None
    ]
    return found


def check_slugs(databases: Sequence[str] | None, **_: Any) -> list[CheckMessage]:
    """With ``check --database``, and before ``migrate``: the admin refuses such names, a program may not."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            slugs = list(
                Wall.objects.using(alias).filter(slug__in=taken_names()).values_list("slug", flat=True)
            )
        except DatabaseError:
            continue  # the tables are not there yet
        found += [
            Warning(
                f"The wall {slug!r} cannot be reached: another page has its address.",
                hint="Give it another slug.",
                id="realtime_wall.wall.W002",
            )
            for slug in slugs
        ]
    return found
