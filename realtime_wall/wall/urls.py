"""``path("", include("realtime_wall.wall.urls"))`` gives a site its walls."""

from django.urls import path

from realtime_wall.wall import views
from realtime_wall.wall.sources.webhook import hook

app_name = "realtime_wall_wall"

urlpatterns = [
    path("", views.wall_page, name="main"),
    path("posts.json", views.posts, name="main-posts"),
    path("hook/", hook, name="main-hook"),
    path("<slug:slug>/hook/", hook, name="hook"),
    path("<slug:slug>/", views.wall_page, name="wall"),
    path("<slug:slug>/posts.json", views.posts, name="posts"),
]
