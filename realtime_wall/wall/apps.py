from django.apps import AppConfig


class WallConfig(AppConfig):
    name = "realtime_wall.wall"
    label = "realtime_wall_wall"
    verbose_name = "Tweet wall"
    default_auto_field = "django.db.models.BigAutoField"
