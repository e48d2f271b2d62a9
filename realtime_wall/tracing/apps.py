"""OpenTelemetry's spans of a site: an app, so that whoever does not install it pays nothing."""

from __future__ import annotations

from django.apps import AppConfig


class TracingConfig(AppConfig):
    name = "realtime_wall.tracing"
    label = "realtime_wall_tracing"
    verbose_name = "Realtime: traces"

    def ready(self) -> None:
        from realtime_wall.tracing import spans

        spans.install()
