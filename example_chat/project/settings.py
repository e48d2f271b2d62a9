"""A chat with rooms, in an SQLite file."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "only for this example: choose your own"
DEBUG = True
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "realtime_wall",
    "chat",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "chat.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
TIME_ZONE = "UTC"

REALTIME_WALL = {
    "CHANNELS": {"room.*": {"PRESENCE": "chat.events.who"}},
    # Who loads the page again leaves and comes back: the name is free at once.
    "PRESENCE_GRACE": 0.0,
}
# Pages get Socket.IO's client from its CDN; with this, from a folder that has its socket.io.min.js.
if folder := os.environ.get("CHAT_SOCKETIO_FOLDER"):
    STATICFILES_DIRS = [folder]
    REALTIME_WALL["SOCKETIO_CLIENT"] = "socket.io.min.js"
