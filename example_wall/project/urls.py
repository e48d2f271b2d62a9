from django.contrib import admin
from django.urls import include, path

from project.views import start

urlpatterns = [
    path("start/", start, name="start"),
    path("admin/", admin.site.urls),
    path("", include("realtime_wall.urls")),
    path("", include("realtime_wall.wall.urls")),
]
