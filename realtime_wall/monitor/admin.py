"""Who is here: the site's servers, sockets, channels and receivers, live, in Django's admin.

It is as any other app's page: it asks by ``realtime_wall.cluster``, so it works under every server and shows
all of them. Who may view the live site sees it; who may change it disconnects sockets and sends to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from realtime_wall import cluster, send
from realtime_wall.cluster import ConnectedSocket
from realtime_wall.errors import InvalidChannel, NoServer, NoSocket, RealtimeWallError
from realtime_wall.monitor.figures import SERIES, receivers_of, totals_of
from realtime_wall.monitor.models import LiveSite

PAGE = 50
LAST = 20
SHOWN_OF_ID = 15
# How many sockets may be chosen at once.
CHOSEN = 500

Context = dict[str, Any]


@admin.register(LiveSite)
class LiveSiteAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[[HttpRequest], HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"realtime_wall_monitor_{name}")

        return [
            page("", self.overview, "livesite_changelist"),
            page("sockets/", self.sockets, "sockets"),
            page("channels/", self.channels, "channels"),
            page("channel/", self.channel, "channel"),
        ]

    # Pages

    def overview(self, request: HttpRequest) -> HttpResponse:
        def found() -> Context:
            figures = cluster.metrics()
            return {
                "servers": [(one, _figures_of(one.address, figures)) for one in cluster.servers()],
                "totals": totals_of(figures),
                "receivers": receivers_of(figures),
            }

        return self._page(request, "overview", "Servers and receivers", found, series=SERIES)

    def sockets(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return self._change(request)
        channel, user = request.GET.get("channel") or None, request.GET.get("user") or None

        def found() -> Context:
            listed = cluster.socket_page(request.GET.get("after", ""), PAGE + 1, channel, user)
            shown = listed[:PAGE]
            names = _user_names(shown)
            return {
                "lines": [_line(one, names) for one in shown],
                "more": _next(request, shown[-1].session_id) if len(listed) > PAGE else "",
                "total": sum(server.sockets for server in cluster.servers()),
            }

        return self._page(request, "sockets", "Sockets", found, channel=channel, user_id=user)

    def channels(self, request: HttpRequest) -> HttpResponse:
        prefix = request.GET.get("prefix", "")

        def found() -> Context:
            listed = cluster.channel_page(request.GET.get("after", ""), PAGE + 1, prefix)
            return {
                "channels": listed[:PAGE],
                "more": _next(request, listed[PAGE - 1]["channel"]) if len(listed) > PAGE else "",
            }

        return self._page(request, "channels", "Channels", found, prefix=prefix)

    def channel(self, request: HttpRequest) -> HttpResponse:
        name = request.GET.get("name", "")

        def found() -> Context:
            return {
                "figures": cluster.statistics(name),
                "messages_kept": list(reversed(cluster.history(name, LAST))),
            }

        return self._page(request, "channel", name or "Channel", found, name=name)

    def _page(
        self, request: HttpRequest, template: str, title: str, found: Callable[[], Context], **context: Any
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            context |= found()
        except NoServer:
            context["problem"] = "No server is running."
        except (RealtimeWallError, ValueError) as problem:
            context["problem"] = str(problem)
        context |= {
            **self.admin_site.each_context(request),
            "title": title,
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, f"realtime_wall_monitor/{template}.html", context)

    # What may be done

    def _change(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        chosen = request.POST.getlist("socket")[:CHOSEN]
        if "disconnect" in request.POST:
            done = _each(chosen, cluster.disconnect)
            outcome = f"{done} of {len(chosen)} sockets disconnected."
        elif "subscribe" in request.POST or "unsubscribe" in request.POST:
            done, outcome = _move(chosen, request.POST.get("to", "").strip(), "unsubscribe" in request.POST)
        elif text := request.POST.get("message", "").strip():
            done = _each(chosen, lambda session_id: send(session_id, text))
            outcome = f"Sent to {done} of {len(chosen)} sockets: {text[:200]}"
        else:
            done, outcome = 0, "There was nothing to send."
        if done:
            self.log_change(request, LiveSite(pk=0), outcome)
        self.message_user(request, outcome, messages.SUCCESS if done else messages.WARNING)
        query = request.GET.urlencode()
        return HttpResponseRedirect(
            reverse("admin:realtime_wall_monitor_sockets") + (f"?{query}" if query else "")
        )


def _each(session_ids: Iterable[str], do: Callable[[str], object]) -> int:
    done = 0
    for session_id in session_ids:
        try:
            do(session_id)
        except NoSocket:
            continue  # it has gone meanwhile
        done += 1
    return done


def _move(session_ids: Sequence[str], channel: str, off: bool) -> tuple[int, str]:
    """On a channel, or off it: how many, and in words."""
    move = cluster.unsubscribe if off else cluster.subscribe
    try:
        done = _each(session_ids, lambda session_id: move(channel, session_id=session_id))
    except InvalidChannel as problem:
        return 0, str(problem)
    return done, f"{done} of {len(session_ids)} sockets {'taken off' if off else 'put on'} channel {channel}."


def _line(one: ConnectedSocket, names: dict[str, str]) -> tuple[ConnectedSocket, str, str, str]:
    """A socket, its user's name, since when, and as much of its id as tells it from others."""
    since = datetime.fromtimestamp(one.since, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return one, names.get(one.user_id or "", one.user_id or ""), since, one.session_id[:SHOWN_OF_ID]


def _next(request: HttpRequest, after: str) -> str:
    """The query of the page behind."""
    query = request.GET.copy()
    query["after"] = after
    return query.urlencode()


def _user_names(sockets: Iterable[ConnectedSocket]) -> dict[str, str]:
    ids = {one.user_id for one in sockets if one.user_id is not None}
    users = get_user_model()._default_manager.filter(pk__in=ids) if ids else ()
    return {str(user.pk): user.get_username() for user in users}


def _figures_of(server: str, figures: Iterable[Context]) -> Context:
    return next((one["values"] for one in figures if one["server"] == server), {})
