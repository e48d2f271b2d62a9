from chat import views
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("", views.rooms, name="rooms"),
    path("room/<str:slug>/", views.room, name="room"),
    path("system/", views.system_message, name="system"),
    path("admin/", admin.site.urls),
]
