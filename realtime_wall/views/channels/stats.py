"""What goes on, over HTTP: ``stats/``. Who may publish on a channel may look at it; at all, who administers.

Without a channel it is a summary; ``ALL`` and ``news*`` list channels, ``a/b`` are two of them. ``Accept`` or
``?format=`` chooses JSON, text, XML or YAML.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.node.introspection import queries, statistics, statistics_formats
from realtime_wall.node.introspection.statistics import ALL, Figures
from realtime_wall.node.node import Node
from realtime_wall.views.channels import channel_request, publish_rights
from realtime_wall.views.channels.channel_request import ForeignRequest, RequestRefused

METHODS = ("GET", "OPTIONS")
# Bytes. Django cuts it at each semicolon, and copies the rest: 8 KiB of them would take 20 ms.
LONGEST_ACCEPT = 1024


@csrf_exempt  # nothing changes here: a POST is answered 405
def stats(request: HttpRequest, channels: str = "") -> HttpResponse:
    try:
        node = channel_request.node_for(request, *METHODS)
        response = HttpResponse() if request.method == "OPTIONS" else _answer(node, request, channels)
    except ForeignRequest as refused:
        return channel_request.with_no_cache(refused.response())
    except RequestRefused as refused:
        response = refused.response()
    return channel_request.with_no_cache(channel_request.with_cors(request, response, ", ".join(METHODS)))


def _answer(node: Node, request: HttpRequest, channels: str) -> HttpResponse:
    found = _statistics(node, request, channels or request.GET.get("channels") or request.GET.get("id") or "")
    if len(request.META.get("HTTP_ACCEPT", "")) > LONGEST_ACCEPT:
        raise RequestRefused(431, f"Accept is longer than {LONGEST_ACCEPT} bytes.")
    preferred = request.get_preferred_type(list(statistics_formats.WRITERS))
    content_type = statistics_formats.content_type(request.GET.get("format", ""), preferred)
    if content_type is None:
        raise RequestRefused(400, f"No such format; there are {', '.join(statistics_formats.BY_NAME)}.")
    written = statistics_formats.written(found, content_type)
    return HttpResponse(written, content_type=f"{content_type}; charset=utf-8")


def _statistics(node: Node, request: HttpRequest, text: str) -> Figures:
    text = text.strip("/")
    prefix = "" if text == ALL else text.removesuffix("*")
    if prefix != text or not text:
        if "*" in prefix or "/" in prefix:
            raise RequestRefused(403, publish_rights.NOT_AUTHORIZED)
        publish_rights.check_may_administer(node, request, f"{prefix}*")
        return queries.everywhere(node, text)
    names = channel_request.names_of(node, text)
    for name in names:
        publish_rights.check_may_look(node, request, name)
    found = queries.everywhere(node, "/".join(names))
    known = [one for one in found.get("infos", [found]) if statistics.is_known(one)]
    if not known:
        raise RequestRefused(404, "The channel does not exist.")
    return known[0] if len(names) == 1 else {**found, "channels": len(known), "infos": known}
