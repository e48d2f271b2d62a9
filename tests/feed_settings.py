"""The example wall with a source that floods it, and a view that says how long the event loop stood still."""

import os

from tests.example_settings import *  # noqa: F403

_example = globals()
INSTALLED_APPS = [*_example["INSTALLED_APPS"], "tests.feed_site"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.feed_site.urls"
# As docs/howto/deploy.rst has it for SQLite.
_example["DATABASES"]["default"]["OPTIONS"] = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": float(os.environ.get("SITE_LOCK_TIMEOUT", "5")),
}
