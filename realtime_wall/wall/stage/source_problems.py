"""Which sources of a wall are down? The desk and the remote say so; the stage does not claim to be live."""

from __future__ import annotations

from realtime_wall.wall import options
from realtime_wall.wall.feed.source_config import read_source_configs
from realtime_wall.wall.models import Wall
from realtime_wall.wall.sources import kinds


def source_problems(wall: Wall) -> list[dict[str, str]]:
    """For moderators, with what is the matter."""
    found = wall.positions.filter(source__in=_names(wall)).exclude(problem="")
    return [
        {"source": source, "problem": problem} for source, problem in found.values_list("source", "problem")
    ]


def is_down(wall: Wall) -> bool:
    """Nothing new can come, from none of them."""
    names = _names(wall)
    return bool(names) and len(source_problems(wall)) == len(names)


def _names(wall: Wall) -> set[str]:
    return {kinds.name_of(kind) for kind in read_source_configs(options.current()).get(wall.slug, ())}
