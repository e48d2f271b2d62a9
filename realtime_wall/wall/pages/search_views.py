"""The page where a visitor searches live, and the frame in which X draws one of its posts."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from realtime_wall.wall import options
from realtime_wall.wall.live_search.search_subscriptions import TERM_SIZE
from realtime_wall.wall.models import MAIN, State, Wall
from realtime_wall.wall.pages import oembed
from realtime_wall.wall.pages.layout import THEMES, reading_frame, wall_called
from realtime_wall.wall.pages.script_config import live_words
from realtime_wall.wall.pages.wall_policy import wall_policy

# The frame is of no origin: even if it is opened by itself, what runs in it can reach nothing of ours.
POLICY = (
    "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox; default-src 'none'; base-uri 'none'; "
    "form-action 'none'; script-src https://platform.x.com https://platform.twitter.com; "
    "frame-src https://platform.x.com https://platform.twitter.com; img-src https:; style-src 'unsafe-inline'"
)


@require_safe
@never_cache
@wall_policy
def search_page(request: HttpRequest) -> HttpResponse:
    """404 where visitors may not search for words of their own."""
    if not options.current().visitors:
        raise Http404("VISITORS is off")
    wall = wall_called(MAIN)
    context = reading_frame(request, wall, "search")
    return render(
        request,
        "realtime_wall_wall/search.html",
        context | {"most": TERM_SIZE, "config": _config(wall)},
    )


def _config(wall: Wall) -> dict[str, Any]:
    return live_words(wall) | {
        "embed": reverse("realtime_wall_wall:main-embed", args=["0"]) if options.current().oembed_url else "",
        "words": {
            "idle": gettext(
                "Type a word, a #hashtag or a phrase. Posts that have it appear here as they are written."
            ),
            "asking": gettext("One moment …"),
            "listening": gettext("Listening to {}. The next post that has it appears here."),
            "stopped": gettext("Stopped."),
            "waiting": gettext("{} waiting"),
            "left_out": gettext("{} left out"),
            "refused": gettext("This cannot be listened to: {}"),
            "lost": gettext("The connection is lost. The search goes on when it is back."),
            "framed": gettext("A post, as X shows it"),
        },
    }


@require_safe
@xframe_options_sameorigin
def embed(request: HttpRequest, post_id: str) -> HttpResponse:
    """X's own drawing of one of its posts, for a sandboxed frame."""
    address = options.current().oembed_url
    if not address or not oembed.is_id(post_id):
        raise Http404("not drawn by X")
    of_wall = wall_called(MAIN).tweets.filter(source="x", post_id=post_id)
    if of_wall.exclude(state=State.SHOWN).exists():
        raise Http404("not shown")
    theme = request.GET.get("theme", "")
    drawn = oembed.markup(address, post_id, theme if theme in THEMES else THEMES[0])
    if not drawn:
        raise Http404("X does not draw it")
    answer = render(request, "realtime_wall_wall/embed.html", {"drawn": drawn})
    answer["Content-Security-Policy"] = POLICY
    answer["Cache-Control"] = "max-age=300"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
