"""What goes on, over HTTP: ``stats/``. Who may publish on a channel may look at it; at all, who administers.

Without a channel it is a summary; ``ALL`` and ``news*`` list channels, ``a/b`` are two of them.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from realtime_wall import following, statistics
from realtime_wall.channel_views import asked, rights
from realtime_wall.channel_views.asked import Foreign, Refused
from realtime_wall.json_text import encode_json
from realtime_wall.node import Node
from realtime_wall.statistics import ALL, Told

METHODS = ("GET", "OPTIONS")
PLAIN = "text/plain"
JSON = ("application/json", "text/x-json")


def stats(request: HttpRequest, channels: str = "") -> HttpResponse:
    try:
        here = asked.server(request, *METHODS)
        response = HttpResponse() if request.method == "OPTIONS" else _answer(here, request, channels)
    except Foreign as refused:
        return asked.fresh(refused.response())
    except Refused as refused:
        response = refused.response()
    return asked.fresh(asked.share(request, response, ", ".join(METHODS)))


def _answer(here: Node, request: HttpRequest, channels: str) -> HttpResponse:
    told = _told(here, request, channels or request.GET.get("channels") or request.GET.get("id") or "")
    if request.get_preferred_type([*JSON, PLAIN]) == PLAIN:
        return HttpResponse(statistics.as_text(told), content_type=f"{PLAIN}; charset=utf-8")
    return HttpResponse(encode_json(told), content_type="application/json; charset=utf-8")


def _told(here: Node, request: HttpRequest, text: str) -> Told:
    text = text.strip("/")
    prefix = "" if text == ALL else text.removesuffix("*")
    if prefix != text or not text:
        if "*" in prefix or "/" in prefix:
            raise Refused(403, rights.NOT_AUTHORIZED)
        rights.check_may_administer(here, request, f"{prefix}*")
        return following.everywhere(here, text)
    names = list(asked.channels_of(here, text))
    for name in names:
        rights.check_may_look(here, request, name)
    told = following.everywhere(here, "/".join(names))
    known = [one for one in told.get("infos", [told]) if statistics.is_known(one)]
    if not known:
        raise Refused(404, "The channel does not exist.")
    return known[0] if len(names) == 1 else {**told, "channels": len(known), "infos": known}
