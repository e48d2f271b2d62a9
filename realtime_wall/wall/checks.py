"""Says at start what is wrong with the wall's settings."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from realtime_wall import config
from realtime_wall.wall import options


def check_options(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Error(f"REALTIME_WALL['WALL']['{key}'] {sentence}.", id="realtime_wall.wall.E001")
        for key, sentence in options.problems(config.current().wall)
    ]
    chosen = options.current()
    # A warning only: commands such as migrate run where the environment has no secrets.
    if "x" in chosen.sources and not chosen.bearer_token:
        found.append(
            Warning(
                "The source 'x' has no token.",
                hint="Set BEARER_TOKEN in REALTIME_WALL['WALL'] or in the environment.",
                id="realtime_wall.wall.W001",
            )
        )
    return found
