"""The Django app ``realtime_wall.monitor``: a page in the admin that shows who is here."""

from django.apps import AppConfig


class MonitorConfig(AppConfig):
    name = "realtime_wall.monitor"
    label = "realtime_wall_monitor"
    verbose_name = "Realtime"
    default_auto_field = "django.db.models.BigAutoField"
