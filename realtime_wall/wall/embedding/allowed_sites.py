"""Which other sites may show a wall in a frame, and let their scripts read its posts?

An organiser lists them in the admin, one a line: ``https://event.example``, ``https://*.event.example`` for
all below it, or ``*`` for every site. What is read is what every visitor may read: no cookies go with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext

from realtime_wall.views.content_security import HEADER
from realtime_wall.wall import options
from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.pages.layout import wall_called

EVERY = "*"
MOST = 50
_SITE = re.compile(
    r"https?://(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?::\d{1,5})?",
    re.ASCII,
)

View = Callable[..., HttpResponse]


def check_sites(text: str) -> None:
    """Django's validator of the field."""
    sites = sites_of(text)
    for site in sites:
        if not _is_site(site):
            raise ValidationError(gettext("“{}” is no site, such as https://event.example.").format(site))
    if len(sites) > MOST:
        raise ValidationError(gettext("That is more than {} sites.").format(MOST))


def sites_of(text: str) -> list[str]:
    """As browsers write them, without the slash that people copy along."""
    return [site.rstrip("/").lower() for site in text.split()]


def _is_site(site: str) -> bool:
    return site == EVERY or _SITE.fullmatch(site) is not None


def is_allowed(wall: Wall, origin: str) -> bool:
    return any(site == EVERY or _fits(site, origin.lower()) for site in sites_of(wall.embed_sites))


def _fits(site: str, origin: str) -> bool:
    scheme, star, domain = site.partition("://*.")
    if not star:
        return site == origin
    return origin.startswith(f"{scheme}://") and origin.endswith(f".{domain}")


def framed_where_allowed(view: View) -> View:
    """For a page that other sites may have in a frame, by its policy; without any it is like the others."""

    @wraps(view)
    def answer(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
        response = view(request, slug)
        sites = list(filter(_is_site, sites_of(wall_called(slug).embed_sites)))
        policy = response.headers.get(HEADER)
        # A site with a policy of its own says there who may frame it; ours would take its place.
        if sites and (policy or options.current().content_security_policy == "none"):
            ancestors = f"frame-ancestors 'self' {' '.join(sites)}"
            response.headers[HEADER] = f"{policy}; {ancestors}" if policy else ancestors
            response.xframe_options_exempt = True  # it knows no list of sites
        return response

    return answer


def read_where_allowed(view: View) -> View:
    """For what scripts of other sites may read (CORS)."""

    @wraps(view)
    def answer(request: HttpRequest, slug: str = MAIN, **more: Any) -> HttpResponse:
        response = view(request, slug, **more)
        patch_vary_headers(response, ["Origin"])
        origin = request.headers.get("Origin", "")
        if origin and is_allowed(wall_called(slug), origin):
            response.headers["Access-Control-Allow-Origin"] = origin
        return response

    return answer


def snippet(request: HttpRequest, wall: Wall) -> str:
    """What an organiser pastes into a page of another site."""
    script = request.build_absolute_uri(reverse("realtime_wall_wall:embed-script"))
    which = "" if wall.slug == MAIN else f' wall="{wall.slug}"'
    return f'<script src="{script}" async></script>\n<realtime-wall{which}></realtime-wall>'
