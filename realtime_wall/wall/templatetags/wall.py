"""``{% load wall %}``: a wall in any page of yours.

::

    {% load wall %}
    <link rel="stylesheet" href="{% static 'realtime_wall_wall/wall.css' %}">
    <p><span class="wall-count">{% count %}</span> posts</p>
    {% render_tweets 20 %}
    {% websocket_client %}

Each tag takes the slug of a wall as its last argument; without it, it is the main one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from realtime_wall import cursor
from realtime_wall.templatetags.realtime import nonce_attribute, realtime_client
from realtime_wall.wall import options
from realtime_wall.wall.models import MAIN, State, Wall
from realtime_wall.wall.pages.card import card, card_labels, utc_now
from realtime_wall.wall.pages.card_list import cards
from realtime_wall.wall.pages.layout import address_of
from realtime_wall.wall.pages.query_threads import TooBusy, run_query
from realtime_wall.wall.pages.script_config import live_words
from realtime_wall.wall.queries import newest
from realtime_wall.wall.queries.aggregates import Figures, figures
from realtime_wall.wall.queries.report import top_people, top_posts
from realtime_wall.wall.stage.look import badge_words, look_of, merged

register = template.Library()


@register.inclusion_tag("realtime_wall_wall/posts.html", takes_context=True)
def render_tweets(context: Context, count: int, wall: Wall | str = MAIN) -> dict[str, Any]:
    """The newest posts, in a list that knows from which position on the page has to listen."""
    # Before the posts are read: what is stored in between comes twice, and is shown once.
    position = cursor()
    chosen = _wall(wall)
    badges = badge_words(merged(look_of(chosen), context.get("asked") or {}))
    return {"cursor": position, "cards": cards(newest.newest(chosen, count), badges)}


@register.inclusion_tag("realtime_wall_wall/client.html", takes_context=True)
def websocket_client(context: Context, wall: Wall | str = MAIN, server: str = "") -> dict[str, Any]:
    """The scripts that keep the list of ``render_tweets`` alive; put them at the end of the page.

    ``server`` is the address of a socket server elsewhere, in place of WEBSOCKET_SERVER.
    """
    chosen = _wall(wall)
    return {
        "realtime_client": realtime_client(context, server or options.current().websocket_server),
        "nonce": nonce_attribute(context),
        "config": live_words(chosen, context.get("asked"))
        | {
            "posts": address_of("posts", chosen),
            "page": address_of("wall", chosen),
            "report": address_of("screens", chosen),
            "worker": reverse("realtime_wall_wall:worker"),
        },
    }


@register.simple_tag(takes_context=True)
def wall_client(context: Context) -> SafeString:
    """The script that defines ``Realtime``, for the wall's other pages."""
    return realtime_client(context, options.current().websocket_server)


@register.inclusion_tag("realtime_wall_wall/status.html")
def connection_status() -> dict[str, Any]:
    """A dot and a word: live, lost, failed or closed."""
    return {}


@register.inclusion_tag("realtime_wall_wall/retweet_switch.html")
def retweet_switch() -> dict[str, Any]:
    """A box to tick for a visitor who wants to see retweets, or not; the browser remembers."""
    return {}


@register.inclusion_tag("realtime_wall_wall/top_users.html")
def top_users(number: int, wall: Wall | str = MAIN) -> dict[str, Any]:
    """Those who wrote most, and how often they were passed on."""
    chosen, labels, now = _wall(wall), card_labels(), utc_now()
    people = top_people(chosen, _figures(chosen), number)
    return {
        "people": [
            {"card": card(one.post, labels, now), "posts": one.posts, "passed_on": one.passed_on}
            for one in people
        ]
    }


@register.inclusion_tag("realtime_wall_wall/top_tweets.html")
def top_tweets(number: int, wall: Wall | str = MAIN) -> dict[str, Any]:
    """What was passed on most, as cards."""
    chosen, labels, now = _wall(wall), card_labels(), utc_now()
    posts = top_posts(chosen, _figures(chosen), number)
    return {"posts": [{"card": card(one.post, labels, now), "times": one.times} for one in posts]}


def _figures(wall: Wall) -> Figures:
    """A page is no worse for a moment without its ranking."""
    try:
        return run_query(partial(figures, wall))
    except TooBusy:
        return Figures()


@register.simple_tag
def count(wall: Wall | str = MAIN) -> int:
    """How many posts the wall has; inside an element of class ``wall-count`` it goes on counting."""
    return _wall(wall).tweets.filter(state=State.SHOWN).count()


@register.filter
def grouped(number: int) -> str:
    """12,345 as the visitor's language writes it."""
    return number_format(number, use_l10n=True, force_grouping=True)


@register.simple_tag(takes_context=True)
def wall_script(context: Context, name: str) -> SafeString:
    """One of the wall's own scripts."""
    source = static(f"realtime_wall_wall/{name}")
    return format_html('<script src="{}"{}></script>', source, nonce_attribute(context))


def _wall(wall: Wall | str) -> Wall:
    return wall if isinstance(wall, Wall) else Wall.called(wall)
