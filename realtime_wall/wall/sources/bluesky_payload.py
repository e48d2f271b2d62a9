"""From what Bluesky's Jetstream says about a record to a :class:`Post`.

A record does not say who wrote it but by a number: names and pictures come from the writer's profile.
Places in the text are counted in bytes of UTF-8 there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from realtime_wall.wall.post import (
    ALT_SIZE,
    ID_SIZE,
    MOST_ENTITIES,
    MOST_MEDIA,
    NAME_SIZE,
    TEXT_SIZE,
    Author,
    BadPost,
    Entity,
    LinkCard,
    Media,
    Post,
    tidy,
    tidy_text,
    web_url,
)

SITE = "https://bsky.app"
PICTURES = "https://cdn.bsky.app/img/feed_thumbnail/plain"
FILMS = "https://video.bsky.app/watch"
# By the author or by the network's moderation; those that begin with "!" are its orders to every client.
ADULT = frozenset(
    ("porn", "sexual", "nudity", "graphic-media", "gore", "nsfl", "sexual-figurative", "!warn", "!hide")
)

_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}")
_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_CID = re.compile(r"[a-z0-9]{10,100}")

Object = Mapping[str, Any]


def id_of(did: object, key: object) -> str:
    """The id of a post on the wall: of its writer and its key, or of both together when they are long."""
    if not (isinstance(did, str) and _DID.fullmatch(did) and isinstance(key, str) and _KEY.fullmatch(key)):
        raise BadPost("it has no writer or no key")
    whole = f"{did}/{key}"
    return whole if len(whole) <= ID_SIZE else hashlib.sha256(whole.encode()).hexdigest()


def hashtags_of(record: Object) -> list[str]:
    """Those in the text and those beside it."""
    tags = [tag for tag in _list(record.get("tags")) if isinstance(tag, str)]
    return tags[:MOST_MEDIA] + [
        feature["tag"] for _, _, feature in _features(record) if isinstance(feature.get("tag"), str)
    ]


def from_bluesky(
    did: str, key: str, record: Object, *, profile: Object, now: datetime, version: int = 0
) -> Post:
    written = _string(record.get("text"))[:TEXT_SIZE]
    text, entities = tidy_text(written, tuple(_entities(record, written)))
    is_marked = has_adult_label(profile)  # by the network, or by its owner
    handle = tidy(_string(profile.get("handle")), NAME_SIZE)
    languages = _list(record.get("langs"))
    return Post(
        id=id_of(did, key),
        source="bluesky",
        url=web_url(f"{SITE}/profile/{did}/post/{key}"),
        text=text,
        created_at=_time(record.get("createdAt"), now),
        lang=tidy(_string(languages[0] if languages else ""), 16),
        author=Author(
            id=did[:ID_SIZE],
            name=tidy(_string(profile.get("displayName")).strip(), NAME_SIZE) or handle or did[:NAME_SIZE],
            username=handle,
            avatar="" if is_marked else web_url(_string(profile.get("avatar"))),
            url=web_url(f"{SITE}/profile/{did}"),
        ),
        entities=entities,
        media=tuple(_media(did, record)),
        link=_link(did, record),
        sensitive=is_marked or has_adult_label(record),
        version=version,
    )


def has_adult_label(labelled: Object) -> bool:
    """Whether a record (by its author) or a profile (by whom the network trusts) is marked as not for all."""
    labels = labelled.get("labels")
    values = labels.get("values") if isinstance(labels, dict) else labels
    return any(
        label.get("val") in ADULT and label.get("neg") is not True
        for label in _list(values)
        if isinstance(label, dict) and isinstance(label.get("val"), str)
    )


def _entities(record: Object, text: str) -> Iterator[Entity]:
    data = text.encode(errors="replace")
    for start, end, feature in _features(record):
        kind: Literal["url", "hashtag", "mention"]
        if isinstance(feature.get("tag"), str):
            kind, url = "hashtag", f"{SITE}/hashtag/{quote(tidy(feature['tag'], NAME_SIZE), safe='')}"
        elif isinstance(feature.get("did"), str) and _DID.fullmatch(feature["did"]):
            kind, url = "mention", f"{SITE}/profile/{feature['did']}"
        else:
            kind, url = "url", web_url(_string(feature.get("uri")))
        first, last = _characters(data, start), _characters(data, end)
        if url and 0 <= first < last <= len(text):
            yield Entity(first, last, kind, tidy(text[first:last], TEXT_SIZE), url)


def _characters(data: bytes, place: int) -> int:
    """How many characters are before a byte; -1 when it is none, or is inside a character."""
    if not 0 <= place <= len(data):
        return -1
    try:
        return len(data[:place].decode())
    except UnicodeDecodeError:
        return -1


def _features(record: Object) -> Iterator[tuple[int, int, Object]]:
    for facet in _list(record.get("facets"))[:MOST_ENTITIES]:
        place = facet.get("index") if isinstance(facet, dict) else None
        if not isinstance(place, dict):
            continue
        start, end = place.get("byteStart"), place.get("byteEnd")
        if not (type(start) is int and type(end) is int):
            continue
        for feature in _list(facet.get("features"))[:1]:
            if isinstance(feature, dict):
                yield start, end, feature


def _media(did: str, record: Object) -> Iterator[Media]:
    embed = _embed(record)
    for image in _list(embed.get("images"))[:MOST_MEDIA]:
        cid = _cid(image.get("image")) if isinstance(image, dict) else ""
        if cid:
            yield Media("photo", f"{PICTURES}/{did}/{cid}@jpeg", tidy(_string(image.get("alt")), ALT_SIZE))
    film = _cid(embed.get("video"))
    if film:  # it is played at the network; here is its first picture
        yield Media(
            "video", f"{FILMS}/{quote(did)}/{film}/thumbnail.jpg", tidy(_string(embed.get("alt")), ALT_SIZE)
        )


def _link(did: str, record: Object) -> LinkCard | None:
    card = _embed(record).get("external")
    if not isinstance(card, dict) or not web_url(_string(card.get("uri"))):
        return None
    picture = _cid(card.get("thumb"))
    return LinkCard(
        _string(card.get("uri")),
        _string(card.get("title")).strip(),
        _string(card.get("description")).strip(),
        f"{PICTURES}/{did}/{picture}@jpeg" if picture else "",
    )


def _embed(record: Object) -> Object:
    embed = record.get("embed")
    if not isinstance(embed, dict):
        return {}
    inner = embed.get("media")  # of a post that quotes another
    return inner if isinstance(inner, dict) else embed


def _cid(blob: object) -> str:
    """The name of a picture or film at the network, or nothing."""
    ref = blob.get("ref") if isinstance(blob, dict) else None
    cid = ref.get("$link") if isinstance(ref, dict) else None
    return cid if isinstance(cid, str) and _CID.fullmatch(cid) else ""


def _time(value: object, now: datetime) -> datetime:
    try:
        posted = datetime.fromisoformat(_string(value))
        return min(posted.astimezone(UTC) if posted.tzinfo else posted.replace(tzinfo=UTC), now)
    except (ValueError, OverflowError):
        return now


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
