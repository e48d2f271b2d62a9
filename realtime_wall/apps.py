"""The Django app: at start it registers its checks and imports each app's ``events.py``."""

from django.apps import AppConfig, apps
from django.utils.module_loading import autodiscover_modules


class RealtimeWallConfig(AppConfig):
    name = "realtime_wall"
    verbose_name = "Realtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from realtime_wall import checks  # noqa: F401  registers them

        if apps.is_installed("django.contrib.auth"):
            from realtime_wall import account_signals

            account_signals.watch()

        # As the admin does: an app without events.py is fine, an error inside one is shown.
        autodiscover_modules("events")
