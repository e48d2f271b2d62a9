from django.contrib import admin
from django.urls import include, path
from site_app import raw, views

from realtime_wall import raw_websocket

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("", include("realtime_wall.channel_urls")),  # where nginx push stream's clients look
    path("async/", include("site_app.async_views")),
    path("publish/", views.publish_view),
    path("admin/", admin.site.urls),
    path("hello/", views.hello),
    path("user/", views.user),
    path("login/", views.log_in),
    path("logout/", views.log_out),
    path("echo/", views.echo),
    path("raw/echo/", raw_websocket(raw.echo)),
    path("raw/<slug:room>/", raw_websocket(raw.frame, on_connect=raw.enter, on_disconnect=raw.leave)),
    path("raw/", views.raw),
    path("unread/", views.unread),
    path("session/", views.write_session),
    path("slow/", views.slow),
    path("slower/", views.slower),
    path("stream/", views.stream),
    path("meta/", views.meta),
    path("by-itself/", views.by_itself),
    path("interpreter/", views.interpreter),
    path("counts/", views.counts),
    path("broadcast/", views.broadcast_view),
    path("broadcast/greenlet/", views.from_a_greenlet),
    path("broadcast/thread/", views.from_a_native_thread),
    path("broadcast/fork/", views.from_a_fork),
]
