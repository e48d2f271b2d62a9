"""A project for the tests that need a real server: settings come from the environment as JSON."""

import json
import os

from tests.settings import *  # noqa: F403

DEBUG = bool(os.environ.get("SITE_DEBUG"))
ALLOWED_HOSTS = ["*"]
if os.environ.get("SITE_STRICT"):
    ALLOWED_HOSTS, SECURE_SSL_REDIRECT = ["site.example"], True
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "realtime_wall",
    "realtime_wall.wall",
    "site_app",
    *os.environ.get("SITE_ADD_ONS", "").split(),
]
MIDDLEWARE = ["site_app.middleware.MarkingMiddleware", *MIDDLEWARE]  # noqa: F405
MIDDLEWARE += os.environ.get("SITE_MIDDLEWARE", "").split()
ROOT_URLCONF = "site_urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SITE_DATABASE", ":memory:"),
    }
}
REALTIME_WALL = json.loads(os.environ.get("SITE_REALTIME_WALL", "{}"))
# Of one kind of site: tests/integration/test_kinds_of_sites.py.
OF_ITS_KIND = json.loads(os.environ.get("SITE_SETTINGS", "{}"))
DATABASES["default"]["ATOMIC_REQUESTS"] = OF_ITS_KIND.pop("SITE_ATOMIC_REQUESTS", False)
DATABASES["default"]["CONN_MAX_AGE"] = OF_ITS_KIND.pop("SITE_CONN_MAX_AGE", 0)
globals().update(OF_ITS_KIND)
