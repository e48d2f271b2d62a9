"""What is in a feed, RSS or Atom? Its entries as posts.

feedparser knows the dialects. It is given nothing but well-formed XML without entities of its own, of little
depth: what it does with anything else takes a time that grows with the square of the length.
"""

from __future__ import annotations

import calendar
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.entities import html5
from typing import Any
from urllib.parse import urlsplit
from xml.parsers import expat

import feedparser

from realtime_wall.wall.post import (
    ALT_SIZE,
    ID_SIZE,
    MOST_MEDIA,
    NAME_SIZE,
    Author,
    BadPost,
    Media,
    Post,
    web_url,
)
from realtime_wall.wall.sources.mastodon_payload import read_html

NAME = "rss"
MOST_ENTRIES = 200  # of a feed, at a time: its first
SUMMARY_SIZE = 400
FILMS = ("video/mp4", "video/webm")  # that browsers play
DEEPEST, MOST_ATTRIBUTES, MOST_ELEMENTS = 60, 100, 100_000
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31};)")
_XMLS_OWN = (b"amp;", b"lt;", b"gt;", b"quot;", b"apos;")
_IMAGE = re.compile(r"<img\s[^>]{0,2000}?\bsrc\s?=\s?[\"']([^\"'<>]{1,2000})[\"']", re.I)


@dataclass(frozen=True, slots=True)
class FeedContent:
    posts: list[Post]
    skipped: int
    rest: float  # the seconds for which its publisher asks not to be asked again


def read_feed(body: bytes, url: str, now: datetime) -> FeedContent:
    """BadPost for what is no feed."""
    body = _ENTITY.sub(_as_number, body)
    _check_xml(body)
    # Without the charset of the HTTP header: what was checked is what is read.
    headers = {"content-type": "application/xml", "content-location": url}
    found = feedparser.parse(body, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    if not found.version:
        raise BadPost("it is neither RSS nor Atom")
    posts, skipped = [], 0
    for entry in found.entries[:MOST_ENTRIES]:
        try:
            posts.append(_post(entry, found.feed, url, now))
        except BadPost:
            skipped += 1
    return FeedContent(posts, skipped, _rest(found.feed))


def _check_xml(body: bytes) -> None:
    depth = elements = 0

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > DEEPEST or elements > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            raise BadPost("it is deeper or has more elements than a feed has")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def declare(*_: Any) -> None:
        raise BadPost("it declares entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = begin, end, declare
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as problem:
        if isinstance(problem, BadPost):
            raise
        raise BadPost(f"it is no XML: {str(problem)[:100]}") from problem


def _as_number(match: re.Match[bytes]) -> bytes:
    """Of HTML's names, which XML does not know and feeds have all the same."""
    known = html5.get(match[1].decode())
    if match[1] in _XMLS_OWN or known is None:
        return match[0]
    return "".join(f"&#{ord(letter)};" for letter in known).encode()


def _post(entry: Any, feed: Any, url: str, now: datetime) -> Post:
    link = web_url(_text(entry.get("link")))
    title = read_html(_text(entry.get("title")))[0].strip()
    html = next((_text(part.get("value")) for part in entry.get("content", ())), "")
    html = html or _text(entry.get("summary"))
    published = _time(entry.get("published_parsed"), now)
    updated = _time(entry["updated_parsed"], now) if "updated_parsed" in entry else None
    own_id = _text(entry.get("id")) or link or f"{title}\n{html}"
    return Post(
        # Ids of two feeds may be the same, and are longer than ours.
        id=hashlib.sha256(f"{url}\n{own_id}".encode(errors="replace")).hexdigest()[:32],
        source=NAME,
        text=_joined(title, read_html(html)[0].strip()),
        created_at=published or updated or now,
        url=link,
        lang=_text(entry.get("language") or feed.get("language"))[:16],
        author=_author(entry, feed, url),
        media=tuple(list(_media(entry, html))[:MOST_MEDIA]),
        sensitive=_is_sensitive(entry, feed),
        version=int(updated.timestamp()) if published and updated and updated > published else 0,
    )


def _joined(title: str, text: str) -> str:
    if not title:
        return text
    if not text or title.startswith(text):
        return title
    if text.startswith(title.rstrip("…. ")):  # made of the text, where posts have no title
        return text
    return f"{title}\n{text if len(text) <= SUMMARY_SIZE else text[:SUMMARY_SIZE].rsplit(' ', 1)[0] + ' …'}"


def _author(entry: Any, feed: Any, url: str) -> Author:
    title = read_html(_text(feed.get("title")))[0].strip() or urlsplit(url).hostname or ""
    name = (_text(entry.get("author")).strip() or title)[:NAME_SIZE]
    image = feed.get("image")
    picture = _text(image.get("href")) if isinstance(image, Mapping) else _text(feed.get("logo"))
    return Author(
        id=hashlib.sha256(f"{url}\n{name}".encode(errors="replace")).hexdigest()[: ID_SIZE // 2],
        name=name,
        avatar=web_url(picture),
        url=web_url(_text(feed.get("link"))),
    )


def _media(entry: Any, html: str) -> Iterator[Media]:
    """Pictures, and films that have one to stand for them."""
    alt, seen = _text(entry.get("media_description"))[:ALT_SIZE], set[str]()
    still = next((_text(one.get("url")) for one in entry.get("media_thumbnail", ())), "")
    for one in [*entry.get("media_content", ()), *entry.get("enclosures", ())]:
        kind = _text(one.get("medium")) or _text(one.get("type")).partition("/")[0]
        itself = web_url(_text(one.get("url") or one.get("href")))
        address = web_url(still) if kind == "video" else itself
        if kind in ("image", "video") and address and address not in seen:
            seen.add(address)
            can_play = _text(one.get("type")) in FILMS
            yield Media(
                "video" if kind == "video" else "photo", address, alt, film=itself if can_play else ""
            )
    if not seen:
        written = _IMAGE.search(html[:20_000])
        address = web_url(still) or (web_url(written[1].replace("&amp;", "&")) if written else "")
        if address:
            yield Media("photo", address, alt)


def _is_sensitive(entry: Any, feed: Any) -> bool:
    rating = entry.get("media_rating")
    is_adult = isinstance(rating, Mapping) and _text(rating.get("content")) in ("adult", "r", "nc-17", "x")
    return is_adult or bool(entry.get("itunes_explicit") or feed.get("itunes_explicit"))


def _rest(feed: Any) -> float:
    """As its publisher asks for, in minutes; a day at most."""
    minutes = _text(feed.get("ttl"))
    return min(int(minutes) * 60.0, 86_400.0) if minutes.isdecimal() and len(minutes) < 9 else 0.0


def _time(value: Any, now: datetime) -> datetime | None:
    try:
        return min(datetime.fromtimestamp(calendar.timegm(value), UTC), now) if value else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
