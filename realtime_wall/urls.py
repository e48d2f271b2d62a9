"""``path("", include("realtime_wall.urls"))`` gives a site its live addresses."""

from django.urls import include, path

from realtime_wall.views import metrics_page, seen_page, socketio_session, websocket

app_name = "realtime_wall"

urlpatterns = [
    path("socket.io/", socketio_session.socketio, name="socketio"),
    path("events/", include("realtime_wall.channel_urls")),
    path("ws/", websocket.websocket, name="websocket"),
    path("health/", websocket.health, name="health"),
    path("health/seen/", seen_page.seen, name="seen"),
    path("metrics/", metrics_page.metrics_page, name="metrics"),
    # Clients that leave the last slash out follow no redirect: a WebSocket's handshake cannot be redirected.
    path("socket.io", socketio_session.socketio),
    path("ws", websocket.websocket_or_channels),
    path("health", websocket.health),
]
