"""From a status of Mastodon's API to a :class:`Post`.

Its text is HTML of a stranger's server: of it we keep what a reader sees, and where the links are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any, Literal

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
    Media,
    Post,
    tidy,
    web_url,
)

MOST_HTML = 50_000
_SHORTCODE = re.compile(r"[A-Za-z0-9_]{1,64}")
_EMOJI = re.compile(r":[A-Za-z0-9_]{1,64}:")
_TAG = re.compile(r"(/?)([A-Za-z][A-Za-z0-9]*)|[!?]")
_ATTRIBUTE = re.compile(r"""([^\s=/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"']\S*))?""")
_MEDIA_KINDS: dict[str, Literal["photo", "video", "gif"]] = {
    "image": "photo",
    "video": "video",
    "gifv": "gif",
}


def from_mastodon(status: object, *, now: datetime, source: str = "mastodon") -> Post:
    if not isinstance(status, dict):
        raise BadPost("it is no object")
    post_id = _string(status.get("id"))
    if not post_id.isdecimal() or len(post_id) > ID_SIZE:
        raise BadPost("it has no id")
    text, entities = read_html(_string(status.get("content"))[:MOST_HTML])
    return Post(
        id=post_id,
        source=source,
        url=web_url(_string(status.get("url"))) or web_url(_string(status.get("uri"))),
        text=text,
        created_at=min(_time(status.get("created_at")) or now, now),
        lang=tidy(_string(status.get("language")), 16),
        author=_author(status.get("account")),
        entities=with_emoji(text, entities, emoji_of(status)),
        media=tuple(_media(status)),
        poll=tuple(_options(status.get("poll"))),
        sensitive=status.get("sensitive") is True,
        warning=tidy(_string(status.get("spoiler_text")), NAME_SIZE),
        version=_version(status.get("edited_at")),
    )


def _version(edited_at: object) -> int:
    """Of two edits the later one is the higher."""
    edited = _time(edited_at)
    return max(int(edited.timestamp() * 1000), 1) if edited else 0


def _author(account: object) -> Author:
    known = account if isinstance(account, dict) else {}
    username = tidy(_string(known.get("acct")), NAME_SIZE)
    name = _string(known.get("display_name"))[:TEXT_SIZE]
    for shortcode in emoji_of(known):  # a name is written as text
        name = name.replace(shortcode, "")
    return Author(
        id=tidy(_string(known.get("id")), ID_SIZE),
        name=tidy(name.strip(), NAME_SIZE) or username,
        username=username,
        avatar=web_url(_string(known.get("avatar_static"))) or web_url(_string(known.get("avatar"))),
        url=web_url(_string(known.get("url"))),
    )


def _media(status: dict[str, Any]) -> list[Media]:
    items = status.get("media_attachments")
    found = []
    for item in items[:MOST_MEDIA] if isinstance(items, list) else ():
        kind = _MEDIA_KINDS.get(_string(item.get("type"))) if isinstance(item, dict) else None
        url = web_url(_string(item.get("preview_url"))) or web_url(_string(item.get("url"))) if kind else ""
        if kind and url:
            film = web_url(_string(item.get("url"))) if kind != "photo" else ""
            alt = tidy(_string(item.get("description")), ALT_SIZE)
            found.append(Media(kind, url, alt, film=film))
    return found


def emoji_of(holder: dict[str, Any]) -> dict[str, str]:
    """The server's own emoji that a text or a name uses: ``:shortcode:`` -> the address of its picture."""
    found = {}
    for emoji in _objects(holder.get("emojis"))[:MOST_ENTITIES]:
        code = _string(emoji.get("shortcode"))
        url = web_url(_string(emoji.get("static_url"))) or web_url(_string(emoji.get("url")))
        if url and _SHORTCODE.fullmatch(code):
            found[f":{code}:"] = url
    return found


def with_emoji(text: str, entities: tuple[Entity, ...], emoji: dict[str, str]) -> tuple[Entity, ...]:
    """The entities, and those pictures that are in none of them."""
    found = list(entities)
    for match in _EMOJI.finditer(text) if emoji else ():
        start, end = match.span()
        if match[0] in emoji and all(end <= one.start or one.end <= start for one in entities):
            found.append(Entity(start, end, "emoji", match[0], emoji[match[0]]))
    return tuple(sorted(found, key=lambda one: one.start))[:MOST_ENTITIES]


def _options(poll: object) -> list[str]:
    options = _objects(poll.get("options")) if isinstance(poll, dict) else []
    return [title for one in options if (title := tidy(_string(one.get("title")).strip(), NAME_SIZE))]


def read_html(html: str) -> tuple[str, tuple[Entity, ...]]:
    """The text as it is read, and its links.

    Each character is looked at a few times only: html.parser needs half a minute for some that a stranger
    can send, and meanwhile nobody is served.
    """
    reader = _Reader()
    place = end = 0
    while not reader.is_full and (start := html.find("<", place)) >= 0:
        is_comment = html.startswith("<!--", start)
        if is_comment:
            end = html.find("-->", start)
        elif end <= start:  # else it was found before, for a "<" that began nothing
            end = html.find(">", start)
        if end < 0:
            break
        if not is_comment and _TAG.match(html, start + 1) is None:
            reader.read_text(html[place : start + 1])
            place = start + 1
            continue
        reader.read_text(html[place:start])
        if not is_comment:
            reader.read_tag(html[start + 1 : end])
        place = end + (3 if is_comment else 1)
    reader.read_text(html[place:])
    return reader.text(), tuple(reader.entities)


class _Reader:
    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self._pieces: list[str] = []
        self._length = 0
        self._hidden = 0  # how deep in elements that are not shown
        self._open: list[str] = []
        self._link: tuple[int, int, str, str] | None = None  # from which piece on, where, its address, class

    def text(self) -> str:
        return "".join(self._pieces)[:TEXT_SIZE].rstrip()

    @property
    def is_full(self) -> bool:
        return self._length > TEXT_SIZE

    def read_text(self, html: str) -> None:
        if not self._hidden and not self.is_full:
            self._add(_unescaped(html))

    def read_tag(self, html: str) -> None:
        """What is between ``<`` and ``>``."""
        found = _TAG.match(html)
        if found is None or found[2] is None:
            return  # a comment, or a declaration
        tag = found[2].lower()
        if found[1]:
            self._end(tag)
        else:
            # The first of a name counts, as for browsers.
            pairs = _ATTRIBUTE.findall(html, found.end())
            self._begin(tag, {name.lower(): value.strip("\"'") for name, value in reversed(pairs)})

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        classes = given.get("class", "").split()
        if tag == "br":
            self._add("\n")
        elif tag in ("p", "li", "blockquote", "pre"):
            self._begin_paragraph()
        elif tag == "a" and self._link is None:
            address = web_url(_unescaped(given.get("href", "")))
            self._link = len(self._pieces), self._length, address, given.get("class", "")
        if tag in ("span", "script", "style"):
            self._open.append("hidden" if "invisible" in classes or tag != "span" else _ellipsis(classes))
            self._hidden += self._open[-1] == "hidden"

    def _end(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            self._end_link(*self._link)
            self._link = None
        if tag in ("span", "script", "style") and self._open:
            ended = self._open.pop()
            self._hidden -= ended == "hidden"
            if ended == "ellipsis":
                self._add("…")

    def _begin_paragraph(self) -> None:
        if self._length:
            self._add("\n\n")

    def _end_link(self, piece: int, start: int, url: str, classes: str) -> None:
        shown = "".join(self._pieces[piece:])
        if not url or not shown or self.is_full or len(self.entities) >= MOST_ENTITIES:
            return
        kind: Literal["url", "hashtag", "mention"] = "url"
        if "hashtag" in classes.split() or shown.startswith("#"):
            kind = "hashtag"
        elif "mention" in classes.split():
            kind = "mention"
        self.entities.append(Entity(start, self._length, kind, shown, url))

    def _add(self, text: str) -> None:
        text = tidy(text, TEXT_SIZE)
        if not self.is_full:
            self._pieces.append(text)
            self._length += len(text)


def _unescaped(html: str) -> str:
    try:
        return unescape(html)
    except ValueError:  # a number of thousands of digits
        return html


def _ellipsis(classes: list[str]) -> str:
    return "ellipsis" if "ellipsis" in classes else ""


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(_string(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
