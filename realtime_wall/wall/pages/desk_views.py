"""The page of a wall's moderators, and what it asks for while it is open. All of it is for them alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render, resolve_url
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from realtime_wall import cursor
from realtime_wall.api import run_in_threadpool
from realtime_wall.errors import RealtimeWallError
from realtime_wall.wall.embedding.allowed_sites import snippet
from realtime_wall.wall.models import MAIN, State, Wall
from realtime_wall.wall.moderation import desk_acts
from realtime_wall.wall.moderation.desk_channel import desk_channel
from realtime_wall.wall.moderation.desk_words import desk_words
from realtime_wall.wall.moderation.rights import ALL, may_moderate, moderated_walls
from realtime_wall.wall.pages.layout import address_of, moderators_frame, reading_frame, wall_called
from realtime_wall.wall.pages.script_config import live_words
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.phone_posts.post_token import token_of
from realtime_wall.wall.queries import desk
from realtime_wall.wall.untrusted_json import load_json

LARGEST = 128 * 1024  # bytes of a question
BANNED = "banned"


def for_moderators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """403 in JSON for everybody else: also for whoever has just lost the right to it."""

    @wraps(view)
    def answer(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
        wall = wall_called(slug)
        if not may_moderate(getattr(request, "user", None), wall):
            return JsonResponse({"error": "sign in as a moderator of this wall"}, status=403)
        return view(request, wall)

    return answer


@require_safe
@never_cache
@wall_policy
def desk_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), sign_in_address())
    wall = wall_called(slug)
    if not may_moderate(user, wall):
        page = reading_frame(request, wall, "desk") | {"sign_in": sign_in_address(), "user": user}
        return render(request, "realtime_wall_wall/no_moderator.html", page, status=403)
    position = cursor()  # before the posts are read
    context = moderators_frame(request, wall, "desk") | {
        "user": user,
        "walls": [{"title": str(one), "url": address_of("desk", one)} for one in moderated_walls(user)],
        "modes": Wall._meta.get_field("mode").choices,
        "can_ban_everywhere": user.has_perm(ALL),
        "files": {
            name.replace("-", "_"): address_of(name, wall) for name in ("posts-csv", "posts-json", "displays")
        },
        "snippet": snippet(request, wall) if wall.embed_sites else "",
        "config": _config(request, wall, position),
    }
    return render(request, "realtime_wall_wall/desk.html", context)


@require_safe
@never_cache
@for_moderators
def desk_posts(request: HttpRequest, wall: Wall) -> HttpResponse:
    return answer_posts(request, wall)


def answer_posts(request: HttpRequest, wall: Wall) -> HttpResponse:
    """``?state=``, and ``?behind=`` the ``next`` of an earlier answer."""
    state, behind = request.GET.get("state", State.WAITING), request.GET.get("behind", "")
    if state == BANNED:
        bans = run_in_threadpool(lambda: desk.bans_of(wall))
        return JsonResponse({"bans": bans})
    if state not in State.values or (behind and not (behind.isdecimal() and len(behind) < 19)):
        return JsonResponse({"error": "there are no such posts"}, status=400)

    def find() -> tuple[desk.DeskPage, int]:
        return desk.posts_in(wall, State(state), int(behind or 0)), desk.waiting(wall)

    position = cursor()
    page, waiting = run_in_threadpool(find)
    return JsonResponse({"items": page.items, "next": page.next, "waiting": waiting, "cursor": position})


Perform = Callable[[Wall, Any, dict[str, Any]], dict[str, Any]]


def acting(perform: Perform) -> Callable[..., HttpResponse]:
    """A view for what moderators' pages ask for: an object in JSON, answered with one, or with why not."""

    @transaction.non_atomic_requests  # what is decided is stored before it is published
    @require_POST
    @never_cache
    @csrf_protect
    @for_moderators
    def act(request: HttpRequest, wall: Wall) -> HttpResponse:
        return answer_act(request, wall, request.user, perform)

    return act


def answer_act(request: HttpRequest, wall: Wall, user: Any, perform: Perform) -> HttpResponse:
    """Of somebody who may ask."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
            raise desk_acts.BadAct("that is too much at once")
        asked = load_json(request.body)
        if not isinstance(asked, dict):
            raise desk_acts.BadAct("it is no JSON object")
        return JsonResponse(perform(wall, user, asked))
    except DatabaseError:
        return JsonResponse({"error": "the database is unavailable"}, status=503)
    except RealtimeWallError as problem:
        return JsonResponse({"error": str(problem)}, status=503)
    except desk_acts.Forbidden as problem:
        return JsonResponse({"error": str(problem)}, status=403)
    except ValueError as problem:
        reason = str(problem) if isinstance(problem, desk_acts.BadAct) else "it is no JSON"
        return JsonResponse({"error": reason}, status=400)


desk_act = acting(desk_acts.perform)


class SignIn(LoginView):
    """Django's own, for a site that has none."""

    template_name = "realtime_wall_wall/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | reading_frame(self.request, wall_called(MAIN), "desk")

    def get_default_redirect_url(self) -> str:
        return reverse("realtime_wall_wall:main-desk")


sign_in = never_cache(wall_policy(cast(Callable[..., HttpResponse], SignIn.as_view())))
sign_out = LogoutView.as_view(next_page="realtime_wall_wall:main-desk")


def sign_in_address() -> str:
    """The site's, if it has one."""
    from django.conf import settings

    address = resolve_url(settings.LOGIN_URL)
    try:
        resolve(address)
    except (Resolver404, Http404):
        return reverse("realtime_wall_wall:sign-in")
    return address


def _config(request: HttpRequest, wall: Wall, position: str) -> dict[str, Any]:
    return live_words(wall) | {
        "desk_channel": desk_channel(wall.slug),
        "cursor": position,
        "posts": address_of("desk-posts", wall),
        "act": address_of("desk-act", wall),
        "desk_screens": address_of("desk-screens", wall),
        "csrf": get_token(request),
        "me": request.user.get_username(),
        "words": desk_words(),
        "token": token_of(wall),
        "code": address_of("code", wall),
        "post": address_of("post", wall),
    }
