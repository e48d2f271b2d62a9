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

from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.translation import gettext

from realtime_wall import cursor
from realtime_wall.templatetags.realtime import nonce_attribute, realtime_client
from realtime_wall.wall import history
from realtime_wall.wall.card import card, card_labels, utc_now
from realtime_wall.wall.models import MAIN, Wall

register = template.Library()


@register.inclusion_tag("realtime_wall_wall/posts.html")
def render_tweets(count: int, wall: Wall | str = MAIN) -> dict[str, Any]:
    """The newest posts, in a list that knows from which position on the page has to listen."""
    # Before the posts are read: what is stored in between comes twice, and is shown once.
    position = cursor()
    labels, now = card_labels(), utc_now()
    posts = history.newest(_wall(wall), count)
    return {"cursor": position, "cards": [card(post, labels, now) for post in posts]}


@register.inclusion_tag("realtime_wall_wall/client.html", takes_context=True)
def websocket_client(context: Context, wall: Wall | str = MAIN) -> dict[str, Any]:
    """The scripts that keep the list of ``render_tweets`` alive; put them at the end of the page."""
    return {
        "realtime_client": realtime_client(context),
        "nonce": nonce_attribute(context),
        "config": page_config(_wall(wall)),
    }


@register.simple_tag
def count(wall: Wall | str = MAIN) -> int:
    """How many posts the wall has; inside an element of class ``wall-count`` it goes on counting."""
    return _wall(wall).tweets.filter(hidden=False).count()


def page_config(wall: Wall) -> dict[str, Any]:
    """What wall.js has to be told: where to listen and to read, and every word it may have to say."""
    return {
        "channel": wall.channel,
        "posts": posts_url(wall),
        "now": utc_now().isoformat(),
        "card": card_labels(),
        "more": gettext("{} more"),
        "status": {"live": gettext("live"), "lost": gettext("connection lost")},
    }


def posts_url(wall: Wall) -> str:
    if wall.slug == MAIN:
        return reverse("realtime_wall_wall:main-posts")
    return reverse("realtime_wall_wall:posts", args=[wall.slug])


def _wall(wall: Wall | str) -> Wall:
    return wall if isinstance(wall, Wall) else Wall.called(wall)
