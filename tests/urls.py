from django.urls import include, path

urlpatterns = [path("", include("realtime_wall.urls"))]
