"""What a post is, whatever network it came from, and the flat object that everyone is given.

A source gives items: a :class:`Post`, the same post again in a later version (an edit), a
:class:`Removal`, or a :class:`Mark`. Of one post, the highest version counts, in whatever order they
come; a removal is the highest of all. :meth:`Post.as_message` is what is published on the wall's channel,
kept in ``Tweet.content`` and answered by the JSON view: strings, numbers and lists of flat objects,
nothing that a browser or a database cannot hold, and no address but ``http`` and ``https``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

ID_SIZE = 64  # the column of the database
TEXT_SIZE = 25_000  # X's longest posts
NAME_SIZE = 200
URL_SIZE = 2_048
ALT_SIZE = 1_000  # X's longest descriptions of a picture
MOST_ENTITIES = 200
MOST_MEDIA = 8
MOST_OPTIONS = 20  # of a poll
CURSOR_SIZE = 200
# The version of a post that its author has deleted. The largest number of the database's column.
WITHDRAWN = 2**63 - 1

# C0 controls and NUL hide an address's scheme from a careless reader, and have no place in one.
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\<>\"\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadPost(ValueError):
    """Something that cannot be shown as a post, and why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Entity:
    """A part of the text that is a link; ``start`` and ``end`` count code points."""

    start: int
    end: int
    kind: Literal["url", "hashtag", "mention", "emoji"]  # an emoji is a picture in the text, at ``url``
    text: str
    url: str

    def as_message(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "text": tidy(self.text, URL_SIZE),
            "url": web_url(self.url),
        }


@dataclass(frozen=True, slots=True)
class Media:
    kind: Literal["photo", "video", "gif"]
    url: str
    alt: str = ""
    width: int = 0
    height: int = 0
    film: str = ""  # what a browser can play; ``url`` is the picture that is shown until it does

    def as_message(self) -> dict[str, Any]:
        film = picture_url(self.film) if self.kind != "photo" else ""
        return {
            "kind": self.kind,
            "url": picture_url(self.url),
            "alt": tidy(self.alt, ALT_SIZE),
            "width": self.width,
            "height": self.height,
            **({"film": film} if film else {}),
        }


@dataclass(frozen=True, slots=True)
class LinkCard:
    """The page that a post leads to, as its network previews it."""

    url: str
    title: str
    description: str = ""
    picture: str = ""

    def as_message(self) -> dict[str, str] | None:
        url = web_url(self.url)
        if not url:
            return None
        return {
            "url": url,
            "title": tidy(self.title, NAME_SIZE) or (urlsplit(url).hostname or ""),
            "description": tidy(self.description, ALT_SIZE),
            "picture": picture_url(self.picture),
        }


@dataclass(frozen=True, slots=True)
class Spot:
    """Where on earth a post was written, if its author has said so: degrees, and a name."""

    longitude: float
    latitude: float
    name: str = ""

    def __post_init__(self) -> None:
        if not (-180 <= self.longitude <= 180 and -90 <= self.latitude <= 90):
            raise BadPost("longitude goes from -180 to 180, latitude from -90 to 90")

    def as_message(self) -> dict[str, Any]:
        return {
            "longitude": round(float(self.longitude), 5),
            "latitude": round(float(self.latitude), 5),
            "place": tidy(self.name, NAME_SIZE),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    id: str = ""
    name: str = ""
    username: str = ""
    avatar: str = ""
    url: str = ""


NOBODY = Author()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post. Of a retweet, ``author`` and ``text`` are the original's, ``id`` is the retweet's.

    What its author or network has marked is not for a hall, whatever the source: of a ``sensitive`` post no
    picture is shown, and of one behind a ``warning`` nothing but the warning. Sources only say so.
    """

    id: str
    source: str
    text: str
    created_at: datetime
    url: str = ""
    lang: str = ""
    author: Author = NOBODY
    entities: tuple[Entity, ...] = ()
    media: tuple[Media, ...] = ()
    link: LinkCard | None = None
    poll: tuple[str, ...] = ()  # what can be voted for
    spot: Spot | None = None
    sensitive: bool = False
    warning: str = ""
    original_id: str = ""
    retweeter: Author = NOBODY
    version: int = 0  # above 0 it was edited; the highest one counts
    tags: tuple[str, ...] = ()  # of the rules that it was sent for, where the source has rules
    cursor: str = ""  # where the source would go on after it

    def __post_init__(self) -> None:
        if not self.id or len(self.id) > ID_SIZE or not self.id.isprintable():
            raise BadPost(f"{self.id[:80]!r} is no id")
        if not 0 <= self.version < WITHDRAWN:
            raise BadPost(f"{self.version} is no version")
        if self.warning.strip() or self.text.strip() or self.link or self.poll:
            return
        if not self.media:
            raise BadPost("it has neither text nor picture")
        if self.sensitive:
            raise BadPost("it has no text, and its picture is marked as sensitive")

    @property
    def key(self) -> str:
        """What no other post of any source has."""
        return f"{self.source}:{self.id}"

    def as_message(self) -> dict[str, Any]:
        text, entities = tidy_text(self.text, self.entities)
        has_pictures = not (self.sensitive or self.warning)
        media = self.media if has_pictures else ()
        link = self.link.as_message() if self.link else None
        if link and not has_pictures:
            link["picture"] = ""
        poll = [tidy(option, NAME_SIZE) for option in self.poll[:MOST_OPTIONS]]
        if self.warning:
            text, entities, link, poll = tidy(self.warning, TEXT_SIZE), (), None, []
        return {
            "id": self.id,
            "source": self.source,
            "url": web_url(self.url),
            "text": text,
            "created_at": self.created_at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "lang": tidy(self.lang, 16),
            "author_id": tidy(self.author.id, ID_SIZE),
            "author_name": tidy(self.author.name, NAME_SIZE),
            "author_username": tidy(self.author.username, NAME_SIZE),
            "author_avatar": picture_url(self.author.avatar),
            "author_url": web_url(self.author.url),
            "entities": [entity.as_message() for entity in entities[:MOST_ENTITIES]],
            "media": [item.as_message() for item in media[:MOST_MEDIA] if picture_url(item.url)],
            "link": link,
            "poll": poll,
            "edited": self.version > 0,
            "original_id": tidy(self.original_id, ID_SIZE),
            "retweeted_by": tidy(self.retweeter.name, NAME_SIZE),
            "retweeted_by_username": tidy(self.retweeter.username, NAME_SIZE),
            **(self.spot.as_message() if self.spot else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Its author, or its network, has taken a post back."""

    id: str
    source: str
    cursor: str = ""

    @property
    def key(self) -> str:
        return f"{self.source}:{self.id}"

    @property
    def version(self) -> int:
        return WITHDRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Nothing new; but whatever came before this place need not be asked for again."""

    source: str
    cursor: str


Item = Post | Removal | Mark


def tidy(text: str, size: int) -> str:
    """The text without NUL (PostgreSQL refuses it) and half surrogates (UTF-8 does), cut to size."""
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    return text.replace("\0", "")[:size]


def tidy_text(text: str, entities: tuple[Entity, ...]) -> tuple[str, tuple[Entity, ...]]:
    """The text as :func:`tidy` leaves it, and the entities at the places where they are then."""
    tidied = tidy(text, TEXT_SIZE)
    if len(tidied) == len(text) or not entities:
        return tidied, entities

    def place(before: int) -> int:
        return before - text.count("\0", 0, before)

    moved = (replace(one, start=place(one.start), end=place(one.end)) for one in entities)
    return tidied, tuple(one for one in moved if one.start < one.end <= len(tidied))


@lru_cache(4096)  # a few people write most of what is written
def web_url(url: str) -> str:
    """The address if a browser may be sent there, else nothing."""
    if not url or len(url) > URL_SIZE or _NOT_IN_A_URL.search(url) or _SURROGATE.search(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def picture_url(url: str) -> str:
    """As :func:`web_url`; a path on this site will do too."""
    # Browsers read '//host' as another site; a backslash for a slash is refused by web_url's pattern.
    if url.startswith("/") and not url.startswith("//") and web_url("https://site" + url):
        return url
    return web_url(url)
