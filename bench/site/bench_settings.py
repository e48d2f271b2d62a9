"""Release settings: DEBUG off, Django's full default middleware, sessions and users in SQLite."""

import json
import os

SECRET_KEY = "not a secret: only for measuring"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "realtime_wall",
    "bench_app",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SESSION_ENGINE = f"django.contrib.sessions.backends.{os.environ['BENCH_SESSIONS']}"
ROOT_URLCONF = "bench_urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}}
# The same for every server that is compared: a line of log for each request costs about as much as a
# small request.
LOGGING = {"version": 1, "loggers": {"django.server": {"level": "WARNING", "propagate": False}}}
# The bench's clients never answer a ping, and are cut off after 45 seconds without this; and they say as much
# as they can, many as one user.
REALTIME_WALL = {
    "RUNTIME_DIR": os.environ["BENCH_DIRECTORY"],
    "PING_INTERVAL": 3600.0,
    "FRAME_RATE": 0.0,
    "EVENT_RATE": 0.0,
    "CPU_RATE": 0.0,
    "USER_CONNECTIONS": 0,
    "USER_BUDGET": 0,
}
REALTIME_WALL |= json.loads(os.environ.get("BENCH_SETTINGS", "{}"))
