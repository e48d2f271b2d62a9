"""``path("", include("realtime_wall.urls"))`` gives a site its live addresses."""

from django.urls import include, path

from realtime_wall import socketio_views, views

app_name = "realtime_wall"

urlpatterns = [
    path("socket.io/", socketio_views.socketio, name="socketio"),
    path("events/", include("realtime_wall.channel_urls")),
    path("ws/", views.websocket, name="websocket"),
    path("health/", views.health, name="health"),
]
