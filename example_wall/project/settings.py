"""A wall that shows a recorded conference, over and over. For your own: change the last lines."""

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "only for this example: choose your own"
DEBUG = True
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "realtime_wall",
    "realtime_wall.wall",
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
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "project" / "templates"],
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
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "wall.sqlite3",
        # Who reads waits for nobody who writes.
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"},
    }
}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"

REALTIME_WALL = {
    "WALL": {
        "SOURCES": ["replay"],
        "REPLAY_LOOP": True,
        "VISITORS": True,  # may search live, at /search/
        # For your own wall: "SOURCES": ["x"], your hashtag, and the token in the environment's BEARER_TOKEN.
        "TRACK_KEYWORDS": ["#SaltmarshPy"],
    }
}
