"""From one line of X's API v2 stream to a :class:`Post`.

The line is ``{"data": {...}, "includes": {...}, "matching_rules": [...]}``. Only an id and a text
are asked for; whatever else is missing, or is not what it should be, is left out. Indexes of
entities are code points here, as X's v2 sends them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from realtime_wall.wall.post import (
    ALT_SIZE,
    ID_SIZE,
    MOST_MEDIA,
    NAME_SIZE,
    NOBODY,
    TEXT_SIZE,
    URL_SIZE,
    Author,
    BadPost,
    Entity,
    Media,
    Post,
    Spot,
    tidy,
    web_url,
)
from realtime_wall.wall.untrusted_json import load_json

SITE = "https://x.com"
MOST_VERSIONS = 100
# Of a film the best variant that is no more than this (1280 pixels wide): screens share a hall's network.
MOST_BITS = 2_500_000  # a second

_ID = re.compile(r"[0-9]{1,32}")
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,50}")
_MEDIA_KINDS: dict[str, Literal["photo", "video", "gif"]] = {
    "photo": "photo",
    "video": "video",
    "animated_gif": "gif",
}

Object = dict[str, Any]


def read_line(line: bytes | str) -> Any:
    """The JSON value of a line, or :class:`BadPost`."""
    try:
        return load_json(line)
    except ValueError as problem:
        raise BadPost(f"it is no JSON: {type(problem).__name__}") from problem


def from_x(
    payload: object,
    *,
    now: datetime | None = None,
    source: str = "x",
    site: str = SITE,
    picture: Callable[[str], str] = web_url,
) -> Post:
    """The post of one line; its links lead to ``site``, ``picture`` maps addresses of pictures."""
    line = _object(payload)
    data, includes = _object(line.get("data")), _object(line.get("includes"))
    post_id = _id(data.get("id"))
    now = now or datetime.now(UTC)
    users, media = _by_key(includes, "users", "id"), _by_key(includes, "media", "media_key")
    writer = _author(users.get(_id(data.get("author_id"))), site, picture)
    original_id, original = _original(data, includes)
    shown = original or data
    author = _author(users.get(_id(shown.get("author_id"))), site, picture)
    text, entities = _text(shown, site)
    history = _history(data, post_id)
    return Post(
        # X gives each edit a new id, and the ids before it: the first one names the post for good.
        id=history[0],
        version=len(history) - 1,
        cursor=post_id,
        tags=tuple(tag for rule in _objects(line.get("matching_rules")) if (tag := _string(rule.get("tag")))),
        source=source,
        url=f"{site}/{author.username or 'i'}/status/{original_id if original else post_id}",
        text=text,
        created_at=_time(data.get("created_at"), now),
        lang=tidy(_string(shown.get("lang")), 16),
        author=author,
        entities=entities,
        media=tuple(_media(shown, media, picture)) or tuple(_media(data, media, picture)),
        spot=_spot(_object(shown.get("geo")), _by_key(includes, "places", "id")),
        sensitive=any(one.get("possibly_sensitive") is True for one in (data, shown)),
        original_id=original_id,
        retweeter=writer if original else NOBODY,
    )


def _spot(geo: Object, places: dict[str, Object]) -> Spot | None:
    """The point, if its author gave one; else the middle of the place."""
    place = places.get(_string(geo.get("place_id")), {})
    point: Any = _object(geo.get("coordinates")).get("coordinates")
    if not _are_numbers(point, 2):
        box: Any = _object(place.get("geo")).get("bbox")
        if not _are_numbers(box, 4):
            return None
        point = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    try:
        return Spot(point[0], point[1], _string(place.get("full_name")))
    except BadPost:  # no reason to lose the post
        return None


def _are_numbers(value: object, count: int) -> bool:
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in value)


def _history(data: Object, post_id: str) -> list[str]:
    """The ids of all versions of the post up to this one; X allows five edits."""
    ids = data.get("edit_history_tweet_ids")
    known = [_id(one) for one in ids[:MOST_VERSIONS]] if isinstance(ids, list) else []
    earlier = known[: known.index(post_id)] if post_id in known else []
    return [*filter(None, earlier), post_id]


@dataclass(frozen=True, slots=True)
class _Span:
    """An entity as X gives it: a piece of the text, before the text was unescaped."""

    start: int
    end: int
    kind: Literal["url", "hashtag", "mention"]
    shown: str
    url: str


def _text(tweet: Object, site: str) -> tuple[str, tuple[Entity, ...]]:
    """The text, readable, and its entities where they now are.

    X escapes ``& < >``, and unescaping moves everything behind it: so the text is cut at its
    entities and put together again, piece by piece.
    """
    note = _object(tweet.get("note_tweet"))
    long_text = _string(note.get("text"))
    raw = long_text or _string(tweet.get("text"))
    spans = _spans(_object((note if long_text else tweet).get("entities")), raw, site)
    pieces: list[str] = []
    entities: list[Entity] = []
    done = length = 0
    for span in spans:
        if span.start < done:
            continue  # it overlaps the one before
        before, inside = _readable(raw[done : span.start]), _readable(raw[span.start : span.end])
        start = length + len(before)
        length = start + len(inside)
        done = span.end
        pieces += before, inside
        if inside and length <= TEXT_SIZE:
            entities.append(Entity(start, length, span.kind, span.shown or inside, span.url))
    pieces.append(_readable(raw[done:]))
    return "".join(pieces)[:TEXT_SIZE], tuple(entities)


def _readable(text: str) -> str:
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return tidy(text, TEXT_SIZE + 1)


def _spans(entities: Object, text: str, site: str) -> list[_Span]:
    found = [*_links(entities), *_hashtags(entities, site), *_mentions(entities, site)]
    found += _cashtags(entities, site)
    inside = [span for span in found if 0 <= span.start < span.end <= len(text)]
    return sorted(inside, key=lambda span: span.start)


def _links(entities: Object) -> Iterator[_Span]:
    for item in _objects(entities.get("urls")):
        url = web_url(_string(item.get("url"))) or web_url(_string(item.get("expanded_url")))
        if url:
            yield _Span(*_place(item), "url", _readable(_string(item.get("display_url")))[:URL_SIZE], url)


def _hashtags(entities: Object, site: str) -> Iterator[_Span]:
    for item in _objects(entities.get("hashtags")):
        tag = tidy(_string(item.get("tag")), NAME_SIZE)
        if tag:
            yield _Span(*_place(item), "hashtag", "", f"{site}/hashtag/{quote(tag, safe='')}")


def _cashtags(entities: Object, site: str) -> Iterator[_Span]:
    for item in _objects(entities.get("cashtags")):
        tag = tidy(_string(item.get("tag")), NAME_SIZE)
        if tag:
            yield _Span(*_place(item), "hashtag", "", f"{site}/search?q={quote('$' + tag, safe='')}")


def _mentions(entities: Object, site: str) -> Iterator[_Span]:
    for item in _objects(entities.get("mentions")):
        username = _string(item.get("username"))
        if _USERNAME.fullmatch(username):
            yield _Span(*_place(item), "mention", "", f"{site}/{username}")


def _place(item: Object) -> tuple[int, int]:
    return _whole(item.get("start"), missing=-1), _whole(item.get("end"), missing=-1)


def _original(data: Object, includes: Object) -> tuple[str, Object | None]:
    """The id of the post that this one repeats, and that post if X sent it along."""
    for reference in _objects(data.get("referenced_tweets")):
        if reference.get("type") == "retweeted" and (original_id := _id(reference.get("id"))):
            original = _by_key(includes, "tweets", "id").get(original_id)
            return original_id, original if original and _string(original.get("text")) else None
    return "", None


def _author(user: Object | None, site: str, picture: Callable[[str], str]) -> Author:
    if user is None:
        return NOBODY
    username = _string(user.get("username"))
    if not _USERNAME.fullmatch(username):
        username = ""
    return Author(
        id=_id(user.get("id")),
        name=tidy(_string(user.get("name")), NAME_SIZE) or username,
        username=username,
        # X's 'normal' is 48 pixels wide: too little for a projector.
        avatar=picture(_string(user.get("profile_image_url")).replace("_normal.", "_bigger.")),
        url=f"{site}/{username}" if username else "",
    )


def _media(tweet: Object, known: dict[str, Object], picture: Callable[[str], str]) -> Iterator[Media]:
    keys = _object(tweet.get("attachments")).get("media_keys")
    for key in keys[:MOST_MEDIA] if isinstance(keys, list) else ():
        item = known.get(key) if isinstance(key, str) else None
        kind = _MEDIA_KINDS.get(_string(item.get("type"))) if item else None
        if item is None or kind is None:
            continue
        # A video comes with the picture to show before it plays.
        url = picture(_string(item.get("url")) or _string(item.get("preview_image_url")))
        if url:
            alt = tidy(_string(item.get("alt_text")), ALT_SIZE)
            film = picture(_film(item)) if kind != "photo" else ""
            yield Media(kind, url, alt, _size(item.get("width")), _size(item.get("height")), film)


def _film(item: Object) -> str:
    """The address of what a browser can play; playlists (HLS) are not."""
    films = [one for one in _objects(item.get("variants")) if one.get("content_type") == "video/mp4"]
    by_size = sorted((_whole(one.get("bit_rate")), web_url(_string(one.get("url")))) for one in films)
    found = [(size, url) for size, url in by_size if url]
    small = [(size, url) for size, url in found if size <= MOST_BITS]
    return (small[-1:] or found[:1] or [(0, "")])[0][1]


def _time(value: object, now: datetime) -> datetime:
    """When it was posted; never in the future, where it would stay on top of the wall."""
    try:
        posted = datetime.fromisoformat(_string(value))
        return min(posted.astimezone(UTC) if posted.tzinfo else posted.replace(tzinfo=UTC), now)
    except (ValueError, OverflowError):
        return now


def _by_key(includes: Object, name: str, key: str) -> dict[str, Object]:
    return {value: item for item in _objects(includes.get(name)) if isinstance(value := item.get(key), str)}


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object, missing: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else missing


def _size(value: object) -> int:
    return min(max(_whole(value), 0), 100_000)


def _id(value: object) -> str:
    text = str(_whole(value)) if 0 < _whole(value) < 10**32 else _string(value)
    return text if len(text) <= ID_SIZE and _ID.fullmatch(text) else ""
