"""The sources that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from realtime_wall.wall.options import Options
from realtime_wall.wall.sources.replay import SAMPLE, ReplaySource
from realtime_wall.wall.sources.source import Source


def sources_from(options: Options, slug: str) -> list[Source]:
    return [_MAKERS[name](options, slug) for name in options.sources]


def _replay(options: Options, slug: str) -> Source:
    return ReplaySource(options.replay_file or SAMPLE, speed=options.replay_speed, loop=options.replay_loop)


def _x(options: Options, slug: str) -> Source:
    # tweepy takes 20 MB and a third of a second; a wall without X does without.
    from realtime_wall.wall.sources.x import TAG, XStreamSource

    return XStreamSource(
        options.bearer_token, options.track_keywords, options.track_users, tag=f"{TAG}:{slug}"
    )


_MAKERS: dict[str, Callable[[Options, str], Source]] = {"replay": _replay, "x": _x}
