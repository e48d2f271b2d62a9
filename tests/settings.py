"""The smallest Django project that works."""

import tempfile

SECRET_KEY = "not a secret: this project exists for the tests only"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "realtime_wall",
    "realtime_wall.monitor",
    "realtime_wall.outbox",
    "realtime_wall.wall",
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
PASSWORD_HASHERS = ["tests.quick_hasher.QuickHasher"]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
# Not in memory: Django never closes such a database, so a thread of the pool would keep it for the next test.
_directory = tempfile.TemporaryDirectory(prefix="realtime_wall-tests-")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{_directory.name}/empty.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
