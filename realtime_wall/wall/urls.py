"""``path("", include("realtime_wall.wall.urls"))`` gives a site its walls."""

from django.urls import path

from realtime_wall.wall import views

app_name = "realtime_wall_wall"

urlpatterns = [
    path("", views.wall_page, name="main"),
    path("posts.json", views.posts, name="main-posts"),
    path("<slug:slug>/", views.wall_page, name="wall"),
    path("<slug:slug>/posts.json", views.posts, name="posts"),
]
