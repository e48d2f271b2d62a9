"""The addresses of channels: under ``events/``, or wherever a project includes them.

``path("", include("realtime_wall.channel_urls"))`` gives ``/pub``, ``/sub``, ``/ev``, ``/lp`` and ``/ws``,
where nginx push stream's clients look for them.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from realtime_wall.views.channels import batch, publish, stats, subscribe


def _with_channels(prefix: str, view: subscribe.View) -> list[URLPattern]:
    """Channels in the path, or as an argument."""
    return [
        path(prefix, view, name=f"{prefix}-argument"),
        path(f"{prefix}/", view),
        path(f"{prefix}/<path:channels>", view, name=prefix),
    ]


app_name = "realtime_wall_channels"

urlpatterns = [
    *_with_channels("pub", publish.publish),
    *_with_channels("stats", stats.stats),
    *_with_channels("ev", subscribe.events),
    *_with_channels("sub", subscribe.stream),
    *_with_channels("lp", subscribe.long_poll),
    *_with_channels("poll", subscribe.poll),
    path("batch/", batch.batch, name="batch"),
    path("batch", batch.batch),
    path("ws/<path:channels>", subscribe.websocket, name="ws"),
    path("ws", subscribe.websocket, name="ws-argument"),
]
