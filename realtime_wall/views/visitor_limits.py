"""When may who asks for a handshake come back, if he has as many clients as he may, or has sent too much?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from realtime_wall.auth import visitor_address
from realtime_wall.auth.django_sessions import session_key_of
from realtime_wall.node.node import Node

TOO_MANY = "too much comes from you: try again later"


def seconds_to_wait(node: Node, request: HttpRequest, is_session: bool = False) -> int:
    """0 for who is welcome."""
    address = request.META.get(visitor_address.META_KEY, "")
    return node.visitors.refuse_client(address, session_key_of(request), is_session)


def refusal(node: Node, request: HttpRequest, is_session: bool = False) -> HttpResponse | None:
    """429 and when to come back; None for who is welcome."""
    seconds = seconds_to_wait(node, request, is_session)
    if not seconds:
        return None
    response = HttpResponse(f"{TOO_MANY}\n", status=429, content_type="text/plain; charset=utf-8")
    response["Retry-After"], response["Cache-Control"] = str(seconds), "no-store"
    return response
