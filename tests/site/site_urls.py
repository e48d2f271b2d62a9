from django.contrib import admin
from django.urls import include, path
from site_app import views

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("admin/", admin.site.urls),
    path("hello/", views.hello),
    path("user/", views.user),
    path("echo/", views.echo),
    path("slow/", views.slow),
    path("broadcast/", views.broadcast_view),
]
