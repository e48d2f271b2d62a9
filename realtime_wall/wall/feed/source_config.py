"""What each wall is to be fed with: from the settings, and from the sources set up in the admin.

The settings are about the main wall. A source of the same kind in the admin takes the place of theirs,
also when it is switched off there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import DatabaseError, connection

from realtime_wall.wall.models import MAIN, SourcePosition, Tweet, Wall, WallSource
from realtime_wall.wall.options import KNOWN_SOURCES, Options
from realtime_wall.wall.sources import kinds
from realtime_wall.wall.sources.hourly_cap import HOUR
from realtime_wall.wall.sources.source import SourceRequest

FROM = "from:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One source of a wall."""

    kind: str
    keywords: tuple[str, ...] = ()
    users: tuple[str | int, ...] = ()
    address: str = ""
    cap: int = 0

    def request(self, wall: str, cursor: str, options: Options) -> SourceRequest:
        return SourceRequest(
            wall=wall,
            keywords=self.keywords,
            users=self.users,
            address=self.address,
            cursor=cursor,
            options=options,
        )


SourceConfigs = dict[str, dict[str, SourceConfig]]  # wall -> kind -> config


def read_source_configs(options: Options) -> SourceConfigs:
    """Of every wall that has sources. Asks the database."""
    configs: SourceConfigs = {}
    for kind in options.sources:
        configs.setdefault(MAIN, {})[kind] = SourceConfig(
            kind=kind,
            keywords=options.track_keywords,
            users=options.track_users,
            cap=options.posts_per_hour,
        )
    for row in WallSource.objects.select_related("wall"):
        of_wall = configs.setdefault(row.wall.slug, {})
        of_wall.pop(row.kind, None)
        # Nobody who may edit walls may run any code by that: own sources are named in the settings.
        if row.enabled and row.kind in allowed_kinds(options):
            of_wall[row.kind] = _config_of(row, options)
    for of_wall in configs.values():
        for kind in kinds.SENT:
            of_wall.pop(kind, None)
    return {slug: of_wall for slug, of_wall in configs.items() if of_wall}


def tables_are_missing() -> bool:
    """Whether the database is there, and the wall's tables are not: it waits for ``migrate``."""
    try:
        return WallSource._meta.db_table not in connection.introspection.table_names()
    except DatabaseError:
        return False


def allowed_kinds(options: Options) -> list[str]:
    return list(dict.fromkeys([*KNOWN_SOURCES, *options.sources]))


def read_cursor(slug: str, kind: str) -> str:
    """How far the wall has read this source."""
    found = SourcePosition.objects.filter(wall__slug=slug, source=kinds.name_of(kind))
    return found.values_list("cursor", flat=True).first() or ""


def given_this_hour(slug: str, source: str, now: float) -> int:
    """Posts of this wall and source, as far as they were stored."""
    began = datetime.fromtimestamp(now // HOUR * HOUR, UTC)
    return Tweet.objects.filter(wall__slug=slug, source=source, received_at__gte=began).count()


def _config_of(row: WallSource, options: Options) -> SourceConfig:
    keywords: tuple[str, ...]
    users: tuple[str | int, ...]
    keywords, users = read_terms(row.terms.splitlines())
    if not keywords and not users:
        keywords, users = _default_terms(row.wall, options)
    return SourceConfig(
        kind=row.kind, keywords=keywords, users=users, address=row.address.strip(), cap=row.cap
    )


def read_terms(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keywords and users."""
    terms = list(dict.fromkeys(filter(None, map(str.strip, lines))))
    users = tuple(term[len(FROM) :].strip() for term in terms if term.lower().startswith(FROM))
    return tuple(term for term in terms if not term.lower().startswith(FROM)), tuple(filter(None, users))


def _default_terms(wall: Wall, options: Options) -> tuple[tuple[str, ...], tuple[str | int, ...]]:
    if wall.slug == MAIN and (options.track_keywords or options.track_users):
        return options.track_keywords, options.track_users
    return (("#" + wall.hashtag.lstrip("#"),) if wall.hashtag else ()), ()
