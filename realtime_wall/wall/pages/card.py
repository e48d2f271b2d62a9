"""What does a card show of a post? The server's half of the question; card.js is the browser's.

A post is a stranger's: its text goes through Django's escaping, its addresses only when they cannot
be a script. Both halves decide everything in the same way, and a test compares what they write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

Post = Mapping[str, Any]
Labels = Mapping[str, Any]

TONES = 12  # colours for people without a picture: .wall-tone-0 to .wall-tone-11
LINK = (
    '<a class="wall-link" data-kind="{}" href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>'
)
EMOJI = '<img class="wall-emoji" src="{}" alt="{}" title="{}" referrerpolicy="no-referrer" decoding="async">'
_on_the_web = re.compile(r"https?://[^\x00-\x20\x7f-\xa0\\]+", re.IGNORECASE).fullmatch
_of_this_site = re.compile(r"[A-Za-z0-9_.@/-]+").fullmatch
_is_language = re.compile(r"[a-z]{2}").fullmatch


def usual_badges() -> dict[str, str]:
    """What a card says in place of our names of sources; nothing, for the organiser's own."""
    return {"webhook": gettext("sent in"), "post": "", "replay": "", "phone": gettext("phone")}


def card_labels(badges: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The words of a card in the visitor's language, and where this site's own pictures are.

    ``badges`` has a wall's own names of sources; an empty one is for no badge.
    """
    return {
        "badges": usual_badges() | dict(badges or {}),
        "now": gettext("now"),
        "minutes": gettext("{} min"),
        "hours": gettext("{} h"),
        "days": gettext("{} d"),
        "retweeted": gettext("retweeted by"),
        "edited": gettext("edited"),
        "passed_on": gettext("passed on by {}"),
        "static": settings.STATIC_URL or "",
        "pictures": _place_of_pictures(),
    }


def card(post: Post, labels: Labels, now: datetime) -> dict[str, Any]:
    """What the template ``card.html`` needs to know."""
    name = post["author_name"] or post["author_username"]
    return {
        "key": key_of(post),
        "length": length_of(post["text"]),
        "retweeted": labels["retweeted"],
        "retweeted_by": post["retweeted_by"],
        "passed_on": labels["passed_on"].replace("{}", str(post["passed_on"]))
        if post.get("passed_on")
        else "",
        "tone": tone_of(post["author_username"] or name),
        "initials": initials_of(name),
        "avatar": safe_url(post["author_avatar"], _ours(labels)),
        "author_url": safe_url(post["author_url"]),
        "name": name,
        "username": post["author_username"],
        "url": safe_url(post["url"]),
        "created_at": post["created_at"],
        "ago": ago(post["created_at"], labels, now),
        "edited": labels["edited"] if post.get("edited") else "",
        "source": post["source"],
        "badge": labels["badges"].get(post["source"], post["source"]),
        "lang": post["lang"] if _is_language(post["lang"] or "") else "",
        "text": linked(post["text"], post["entities"]),
        "media": _first_media(post["media"], _ours(labels)),
        "link": _link(post.get("link"), _ours(labels)),
        "poll": post.get("poll") or (),
    }


def key_of(post: Post) -> str:
    return f"{post['source']}:{post['id']}"


def linked(text: str, entities: list[Mapping[str, Any]]) -> SafeString:
    """The text, escaped, with its entities as links; one that does not fit the text is left as text."""
    return mark_safe("".join(_pieces(text, entities)))  # each piece is escaped


def _pieces(text: str, entities: list[Mapping[str, Any]]) -> Iterator[SafeString]:
    done = 0
    for entity in sorted(entities, key=lambda entity: int(entity["start"])):
        start, end, kind = entity["start"], entity["end"], entity["kind"]
        href = safe_url(entity["url"])
        if not href or not (done <= start < end <= len(text)):
            continue
        yield conditional_escape(text[done:start])
        if kind == "emoji":
            yield format_html(EMOJI, href, text[start:end], text[start:end])
            done = end
            continue
        yield format_html(
            LINK,
            kind if kind in ("hashtag", "mention") else "url",
            href,
            (kind == "url" and entity["text"]) or text[start:end],
        )
        done = end
    yield conditional_escape(text[done:])


def _first_media(media: list[Mapping[str, Any]], ours: tuple[str, ...]) -> dict[str, str] | None:
    for item in media:
        url = safe_url(item["url"], ours)
        if url:
            film = safe_url(item.get("film"), ours)
            return {"url": url, "kind": item["kind"], "alt": item["alt"] or "", "film": film}
    return None


def _link(link: Mapping[str, str] | None, ours: tuple[str, ...]) -> dict[str, str] | None:
    url = safe_url(link["url"]) if link else ""
    if not link or not url:
        return None
    return {
        "url": url,
        "title": link["title"],
        "description": link["description"],
        "picture": safe_url(link["picture"], ours),
    }


def _ours(labels: Labels) -> tuple[str, ...]:
    """Where this site's own pictures are: its static files, and what came from phones."""
    return tuple(filter(None, (labels["static"], labels["pictures"])))


def _place_of_pictures() -> str:
    try:
        return reverse("realtime_wall_wall:picture", args=["x"]).removesuffix("x.jpg")
    except NoReverseMatch:  # the cards are in a page of a site that has not the wall's
        return ""


def safe_url(url: object, ours: tuple[str, ...] = ()) -> str:
    """The address if it is one of the web, or of this site's own pictures; or nothing."""
    if not isinstance(url, str):
        return ""
    if _on_the_web(url):
        return url
    if url.startswith(ours) and _of_this_site(url) and ".." not in url:
        return url
    return ""


def length_of(text: str) -> str:
    """How much there is to read decides how large it is written."""
    if len(text) <= 12 and not any(map(str.isalnum, text)):
        return "symbols"
    if len(text) <= 70:
        return "short"
    return "medium" if len(text) <= 180 else "long"


def initials_of(name: str) -> str:
    starts = [word[0] for word in name.split() if word[0].isalnum()] or ["?"]
    last = starts[-1] if len(starts) > 1 else ""
    return (starts[0] + last).upper()


def tone_of(name: str) -> int:
    return sum(map(ord, name)) % TONES


def ago(created_at: str, labels: Labels, now: datetime) -> str:
    created = datetime.fromisoformat(created_at)
    minutes = int((now - created).total_seconds() // 60)
    if minutes < 1:
        return str(labels["now"])
    unit, length = ("minutes", 1) if minutes < 60 else ("hours", 60) if minutes < 1440 else ("days", 1440)
    return str(labels[unit]).replace("{}", str(minutes // length))


def utc_now() -> datetime:
    return datetime.now(UTC)
