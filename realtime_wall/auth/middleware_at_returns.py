"""Which of the site's middleware has to see a client that returns by a ticket?

A middleware says it by an attribute, ``at_returns``: ``"always"``, each handshake: then there are no tickets;
``"later"``, off the road, soon after, which is what holds for one that says nothing; or ``"never"``, since it
decides about nobody. Of Django's own that is known.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

ALWAYS, LATER, NEVER = "always", "later", "never"

# What they go by is bound into the ticket, or asked again (the session and its user).
_OF_DJANGO = {
    *(f"django.middleware.{name}" for name in ("security.SecurityMiddleware", "common.CommonMiddleware")),
    *(f"django.middleware.{name}" for name in ("csrf.CsrfViewMiddleware", "locale.LocaleMiddleware")),
    *(f"django.middleware.{name}" for name in ("gzip.GZipMiddleware", "http.ConditionalGetMiddleware")),
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
}


# Of these two is the user of a request.
_BY_SESSION = {
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
}


def at_returns() -> str:
    """The strictest word of all of them."""
    words = {_word(path) for path in settings.MIDDLEWARE}
    return ALWAYS if ALWAYS in words else LATER if words - {NEVER} else NEVER


def are_users_by_session() -> bool:
    """Whether the user of each request is the one of its session: Django's own middleware is all there is."""
    return set(settings.MIDDLEWARE) <= _OF_DJANGO and set(settings.MIDDLEWARE) >= _BY_SESSION


def _word(path: str) -> str:
    if path in _OF_DJANGO:
        return NEVER
    try:
        middleware: Any = import_string(path)
    except ImportError:
        return LATER  # Django will say it
    return str(getattr(middleware, "at_returns", LATER))
