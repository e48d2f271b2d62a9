"""``{% load realtime %}``: the scripts of our client and of Socket.IO's, in any template.

Nothing is written into the page but the address of a static file and the address of the socket, so
that a strict Content-Security-Policy has nothing to forbid.
"""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from realtime_wall.config import current as current_config

register = template.Library()

ELSEWHERE = ("https://", "http://", "//")


@register.simple_tag(takes_context=True)
def realtime_client(context: Context, address: str = "") -> SafeString:
    """The script that defines ``Realtime``; it connects to this site unless told another address."""
    return format_html(
        '<script src="{}" data-url="{}"{}></script>',
        static("realtime_wall/realtime.js"),
        address or reverse("realtime_wall:websocket"),
        nonce_attribute(context),
    )


@register.simple_tag(takes_context=True)
def socketio_client_script(context: Context) -> SafeString:
    """The official Socket.IO client, from where the settings say."""
    address = socketio_client_address()
    integrity = current_config().socketio_client_integrity if address.startswith(ELSEWHERE) else ""
    return format_html(
        '<script src="{}"{}{}></script>',
        address,
        format_html(' integrity="{}" crossorigin="anonymous"', integrity) if integrity else "",
        nonce_attribute(context),
    )


def socketio_client_address() -> str:
    """SOCKETIO_CLIENT, as a page has it."""
    source = current_config().socketio_client
    return source if source.startswith((*ELSEWHERE, "/")) else static(source)


def nonce_attribute(context: Context) -> SafeString:
    """`` nonce="..."`` where the site has one, from Django's own CSP support or from django-csp."""
    nonce = context.get("csp_nonce")
    if nonce is None:
        nonce = getattr(context.get("request"), "csp_nonce", None)
    # Not ``if nonce``: a lazy nonce is false until somebody has written it.
    return SafeString("") if nonce is None else format_html(' nonce="{}"', nonce)
