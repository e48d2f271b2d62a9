"""Says at start what is wrong with the wall's settings."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from realtime_wall import config
from realtime_wall.wall import options

NEEDED = {"x": "BEARER_TOKEN", "x_search": "BEARER_TOKEN", "webhook": "WEBHOOK_SECRET"}


def check_options(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Error(f"REALTIME_WALL['WALL']['{key}'] {sentence}.", id="realtime_wall.wall.E001")
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
    return found
