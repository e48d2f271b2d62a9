from chat import views
from django.urls import include, path

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("", views.door, name="door"),
    path("<slug:room>/", views.room, name="room"),
]
