from bench_app import rooms, views
from django.urls import include, path

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("user/", views.user),
    path("login/", views.log_in),
    path("logout/", views.log_out),
    path("publish/", views.publish_many),
    path("alternate/", rooms.alternate),
    path("stall/", views.stall),
    path("stamp/", views.stamp),
    path("pump/", views.pump),
    path("burst/", views.burst),
    path("empty/", views.empty),
    path("queries/", views.queries),
    path("position/", views.position),
]
