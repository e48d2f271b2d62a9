"""Posting from a phone, without an account: the page behind the wall's code, its pictures, and the code."""

from __future__ import annotations

import io
import secrets
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from realtime_wall.api import run_in_threadpool, visitor_address
from realtime_wall.wall.feed.announce import post_now
from realtime_wall.wall.models import MAIN, PhonePicture, State, Tweet, Wall
from realtime_wall.wall.moderation.admission import PHONE
from realtime_wall.wall.moderation.rights import may_moderate
from realtime_wall.wall.pages.layout import address_of, reading_frame, wall_called
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.phone_posts.phone_limits import takes_too_much
from realtime_wall.wall.phone_posts.picture import LARGEST_FILE, BadPicture, redraw
from realtime_wall.wall.phone_posts.post_token import fits, token_of
from realtime_wall.wall.post import Author, BadPost, Media, Post, tidy

COOKIE, REMEMBERED = "realtime_wall_phone", 30 * 24 * 3600
NAME_SIZE, TEXT_SIZE = 50, 500
LARGEST = LARGEST_FILE + 64 * 1024


class NotTaken(Exception):
    """What is wrong with a post, in the words of who sent it."""


@csrf_exempt  # it is checked below, when the request is known to be small enough to be read
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@wall_policy
def post_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    wall = wall_called(slug)
    if not fits(wall, request.GET.get("t", "")):
        page = reading_frame(request, wall, "post") | {"is_closed": True}
        return render(request, "realtime_wall_wall/post.html", page, status=404)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return HttpResponse(status=413)
    return _form(request, wall)


@csrf_protect
def _form(request: HttpRequest, wall: Wall) -> HttpResponse:
    phone = request.get_signed_cookie(
        COOKIE, default="", salt=COOKIE, max_age=REMEMBERED
    ) or secrets.token_hex(8)
    page = reading_frame(request, wall, "post") | {"name_size": NAME_SIZE, "text_size": TEXT_SIZE}
    page |= {"is_sent": "sent" in request.GET}
    status = 200
    if request.method == "POST":
        try:
            _take(request, wall, phone)
            query = urlencode({"t": request.GET["t"], "sent": "1"})
            answer: HttpResponse = HttpResponseRedirect(f"{address_of('post', wall)}?{query}")
            return _remember(request, answer, phone)
        except NotTaken as problem:
            status = 400
            page |= {"problem": str(problem), "is_sent": False}
            page |= {"name": request.POST.get("name", ""), "text": request.POST.get("text", "")}
    return _remember(request, render(request, "realtime_wall_wall/post.html", page, status=status), phone)


def _remember(request: HttpRequest, answer: HttpResponse, phone: str) -> HttpResponse:
    options: dict[str, Any] = {"max_age": REMEMBERED, "httponly": True, "samesite": "Lax"}
    answer.set_signed_cookie(COOKIE, phone, salt=COOKIE, secure=request.is_secure(), **options)
    return answer


def _take(request: HttpRequest, wall: Wall, phone: str) -> None:
    name = " ".join(tidy(request.POST.get("name", ""), NAME_SIZE).split())
    text = tidy(request.POST.get("text", ""), TEXT_SIZE).strip()
    file: Any = request.FILES.get("picture")
    if not name or not name.isprintable():
        raise NotTaken(gettext("Please say who you are."))
    if not (text or file):
        raise NotTaken(gettext("Write something, or choose a picture."))
    if takes_too_much(phone, visitor_address(request, network=True)):
        raise NotTaken(gettext("That is a lot. Please wait some minutes."))
    try:
        drawn = run_in_threadpool(lambda: redraw(file)) if file else None
    except BadPicture as problem:
        raise NotTaken(gettext("This picture cannot be shown; a JPEG or PNG can.")) from problem
    run_in_threadpool(lambda: _store(wall, phone, name, text, drawn))


def _store(wall: Wall, phone: str, name: str, text: str, drawn: tuple[bytes, int, int] | None) -> None:
    post_id, media = secrets.token_hex(16), ()
    if drawn:
        address = reverse("realtime_wall_wall:picture", args=[post_id])
        media = (Media("photo", address, "", drawn[1], drawn[2]),)  # type: ignore[assignment]
        PhonePicture.objects.create(post_id=post_id, wall=wall, data=drawn[0])
    try:
        post = Post(
            id=post_id,
            source=PHONE,
            text=text,
            created_at=datetime.now(UTC),
            author=Author(id=phone, name=name),
            media=media,
        )
    except BadPost as problem:
        raise NotTaken(problem.reason) from problem
    post_now(wall.slug, [post])


@require_safe
@never_cache
@transaction.non_atomic_requests
def picture(request: HttpRequest, post_id: str) -> HttpResponse:
    """Of a post that is shown; to its moderators any."""
    tweet = get_object_or_404(Tweet.objects.select_related("wall"), source=PHONE, post_id=post_id)
    if tweet.state != State.SHOWN and not may_moderate(getattr(request, "user", None), tweet.wall):
        raise Http404("not shown")
    if tweet.state == State.TAKEN_BACK:
        raise Http404("taken back")
    found = get_object_or_404(PhonePicture, post_id=post_id)
    answer = HttpResponse(bytes(found.data), content_type="image/jpeg")
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@require_safe
@never_cache
def code(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    """The code that leads to the page, as a picture."""
    wall = wall_called(slug)
    token = token_of(wall)
    if not token:
        raise Http404("this wall takes no posts from phones")
    import segno

    address = request.build_absolute_uri(f"{address_of('post', wall)}?{urlencode({'t': token})}")
    drawn = io.BytesIO()
    segno.make(address, micro=False).save(drawn, kind="svg", scale=8, border=3, light="#fff", dark="#000")
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
