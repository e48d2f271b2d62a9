"""``path("", include("realtime_wall.urls"))`` gives a site its live addresses."""

from django.urls import path

from realtime_wall import views

app_name = "realtime_wall"

urlpatterns = [
    path("ws/", views.websocket, name="websocket"),
    path("health/", views.health, name="health"),
]
