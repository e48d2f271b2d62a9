"""Posts that another program sends by HTTP: ``POST wall/hook/`` with a shared secret, or signed with it.

One JSON object is one post. It is stored before it is confirmed: 200 says that it is on the wall, or
was there already, and 503 that it should be sent again.
"""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import UTC, datetime
from typing import Any

import gevent
from django.db import connections
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from realtime_wall.wall import options
from realtime_wall.wall.feed.announce import post_now
from realtime_wall.wall.models import MAIN, WallSource
from realtime_wall.wall.post import (
    ALT_SIZE,
    ID_SIZE,
    NAME_SIZE,
    TEXT_SIZE,
    Author,
    BadPost,
    Media,
    Post,
    Removal,
    Spot,
    picture_url,
    tidy,
    web_url,
)
from realtime_wall.wall.sources.webhook_signature import BadSignature, signature_of
from realtime_wall.wall.sources.x.x_payload import read_line

logger = logging.getLogger(__name__)

NAME = "webhook"
LARGEST = 64 * 1024
KNOWN = {"id", "text", "author", "username", "avatar", "url", "author_url", "image", "film", "alt", "lang"}
KNOWN |= {"longitude", "latitude", "place", "created_at", "version", "deleted", "sensitive", "warning"}


@csrf_exempt
@require_POST
def hook(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    chosen = options.current()
    if not chosen.webhook_secret or not _is_open(slug, chosen.sources):
        raise Http404("no webhook")
    try:
        body = _read(request, chosen)
    except BadSignature as problem:
        return _refuse(401, str(problem))
    if body is None:
        return _refuse(413, f"a post has {LARGEST} bytes at most")
    try:
        item = from_webhook(read_line(body), body, now=datetime.now(UTC))
    except BadPost as problem:
        return _refuse(400, problem.reason)
    # In a thread: the database may make it wait, the event loop must not.
    stored = gevent.get_hub().threadpool.apply(post_now, (slug, [item]), {"banned": chosen.banned_users})
    if stored.left:
        logger.error("a post by webhook was refused, the database is unavailable: %s", stored.problem)
        return _refuse(503, "the database is unavailable; send it again")
    if stored.rejected:
        return _refuse(400, "the post could not be stored; it is among the rejected posts")
    changed = bool(stored.new or stored.changed or stored.removed)
    return JsonResponse({"id": item.id, "changed": changed})


def _is_open(slug: str, sources: tuple[str, ...]) -> bool:
    if slug == MAIN and NAME in sources:
        return True
    try:
        return WallSource.objects.filter(wall__slug=slug, kind=NAME, enabled=True).exists()
    finally:
        connections.close_all()


def _read(request: HttpRequest, chosen: options.Options) -> bytes | None:
    """The body, of who may post; None if it is too large."""
    signature = signature_of(request.headers, time.time())
    if signature is None:
        if chosen.webhook_signed:
            raise BadSignature("it has to be signed")
        if not _knows_secret(request, chosen.webhook_secret):
            raise BadSignature("the secret is missing or wrong")
    # By what it claims, first: nobody waits for the rest of it.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return None
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        return None
    if signature is not None:
        signature.check(body, chosen.webhook_secret)
    return body


def _knows_secret(request: HttpRequest, secret: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(given.strip(), secret)


def _refuse(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"error": reason}, status=status)


_TYPES = {"deleted": bool, "sensitive": bool, "version": int, "longitude": float, "latitude": float}


def from_webhook(value: object, body: bytes, *, now: datetime) -> Post | Removal:
    """The post, its edit or its removal; without an id of its own it has one made from all it says."""
    if not isinstance(value, dict):
        raise BadPost("it is no JSON object")
    if unknown := sorted(value.keys() - KNOWN):
        raise BadPost(f"{unknown[0][:50]!r} is not known; these are: {', '.join(sorted(KNOWN))}")
    for key, given in value.items():
        wanted = _TYPES.get(key, str)
        if type(given) is not wanted and not (wanted is float and type(given) is int):
            raise BadPost(f"{key!r} has to be a {wanted.__name__}")
    post_id = value.get("id") or hashlib.sha256(body).hexdigest()[:32]
    if value.get("deleted"):
        if len(post_id) > ID_SIZE or "id" not in value:
            raise BadPost("what is deleted needs its id")
        return Removal(id=post_id, source=NAME)
    return _post(value, post_id, now)


def _post(value: dict[str, Any], post_id: str, now: datetime) -> Post:
    username = tidy(value.get("username", ""), NAME_SIZE)
    return Post(
        id=post_id,
        source=NAME,
        text=tidy(value.get("text", ""), TEXT_SIZE),
        created_at=_time(value.get("created_at"), now),
        url=web_url(value.get("url", "")),
        lang=tidy(value.get("lang", ""), 16),
        author=Author(
            name=tidy(value.get("author", ""), NAME_SIZE) or username,
            username=username,
            avatar=picture_url(value.get("avatar", "")),
            url=web_url(value.get("author_url", "")),
        ),
        media=_media(value),
        sensitive=value.get("sensitive", False),
        spot=_spot(value),
        warning=tidy(value.get("warning", ""), NAME_SIZE),
        version=value.get("version", 0),
    )


def _media(value: dict[str, Any]) -> tuple[Media, ...]:
    image, film = (picture_url(value.get(key, "")) for key in ("image", "film"))
    if film and not image:
        raise BadPost("a 'film' needs an 'image', which is shown where it does not play")
    alt = tidy(value.get("alt", ""), ALT_SIZE)
    return (Media("video" if film else "photo", image, alt, film=film),) if image else ()


def _spot(value: dict[str, Any]) -> Spot | None:
    if "longitude" not in value or "latitude" not in value:
        return None
    return Spot(value["longitude"], value["latitude"], value.get("place", ""))


def _time(value: str | None, now: datetime) -> datetime:
    if value is None:
        return now
    try:
        posted = datetime.fromisoformat(value)
        return min(posted.astimezone(UTC) if posted.tzinfo else posted.replace(tzinfo=UTC), now)
    except (ValueError, OverflowError) as problem:
        raise BadPost("'created_at' has to be a time as ISO 8601 writes it") from problem
