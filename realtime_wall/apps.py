from django.apps import AppConfig


class RealtimeWallConfig(AppConfig):
    name = "realtime_wall"
    verbose_name = "Realtime"
    default_auto_field = "django.db.models.BigAutoField"
