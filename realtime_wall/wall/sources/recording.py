"""What ``manage.py realtime record`` wrote of a wall's channel, read as posts again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from realtime_wall.wall.post import (
    NOBODY,
    TEXT_SIZE,
    Author,
    BadPost,
    Entity,
    LinkCard,
    Media,
    Post,
    Removal,
    picture_url,
    tidy,
    web_url,
)

KINDS = ("url", "hashtag", "mention", "emoji")
MEDIA_KINDS = ("photo", "video", "gif")


def is_recording(value: object) -> bool:
    """Whether a line is of a recording, and not as X sends it."""
    return isinstance(value, dict) and isinstance(value.get("channel"), str) and "data" in value


def from_recording(value: dict[str, Any], source: str) -> Post | Removal | None:
    """The post, the edit or the removal of a line; None for what is none of these."""
    event, data = value.get("event"), value["data"]
    if event not in ("tweet", "tweet_changed", "tweet_removed"):
        return None
    if not isinstance(data, dict):
        raise BadPost("its data is no object")
    try:
        posted = datetime.fromisoformat(_text(value, "time") or _text(data, "created_at"))
    except ValueError as problem:
        raise BadPost("it has no time") from problem
    if posted.tzinfo is None:
        raise BadPost("its time has no zone")
    try:
        posted = posted.astimezone(UTC)
    except OverflowError as problem:
        raise BadPost("its time is beyond the calendar") from problem
    if event == "tweet_removed":
        return Removal(id=_text(data, "id"), source=source)
    return _post(data, source, posted, version=int(event == "tweet_changed"))


def _post(data: dict[str, Any], source: str, posted: datetime, version: int) -> Post:
    retweeter = Author(name=_text(data, "retweeted_by"), username=_text(data, "retweeted_by_username"))
    poll = data.get("poll")
    return Post(
        id=_text(data, "id"),
        source=source,
        text=tidy(_text(data, "text"), TEXT_SIZE),
        created_at=posted,
        url=_text(data, "url"),
        lang=_text(data, "lang"),
        author=Author(
            id=_text(data, "author_id"),
            name=_text(data, "author_name"),
            username=_text(data, "author_username"),
            avatar=picture_url(_text(data, "author_avatar")),
            url=web_url(_text(data, "author_url")),
        ),
        entities=tuple(filter(None, map(_entity, _objects(data, "entities")))),
        media=tuple(filter(None, map(_media, _objects(data, "media")))),
        link=_link(data.get("link")),
        poll=tuple(one for one in poll if isinstance(one, str)) if isinstance(poll, list) else (),
        original_id=_text(data, "original_id"),
        retweeter=retweeter if retweeter.name or retweeter.username else NOBODY,
        version=version,
    )


def _entity(value: dict[str, Any]) -> Entity | None:
    start, end, kind = value.get("start"), value.get("end"), value.get("kind")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end and kind in KINDS):
        return None
    return Entity(start, end, cast(Any, kind), _text(value, "text"), _text(value, "url"))


def _media(value: dict[str, Any]) -> Media | None:
    kind, width, height = value.get("kind"), value.get("width"), value.get("height")
    if kind not in MEDIA_KINDS:
        return None
    wide, high = (size if isinstance(size, int) and size >= 0 else 0 for size in (width, height))
    url, alt, film = (_text(value, name) for name in ("url", "alt", "film"))
    return Media(cast(Any, kind), url, alt, wide, high, film)


def _link(value: object) -> LinkCard | None:
    if not isinstance(value, dict) or not web_url(_text(value, "url")):
        return None
    return LinkCard(*(_text(value, key) for key in ("url", "title", "description", "picture")))


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _objects(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = value.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
