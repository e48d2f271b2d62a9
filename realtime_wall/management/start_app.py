"""``manage.py realtime start NAME``: an app with a live page and its test, in a site that there is.

The files are those of ``live_app/``. The site's settings and URLs grow by lines at their end; where such a
file cannot be found, or is not ours to write, the lines are printed instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import NoReverseMatch, reverse

TEMPLATE = Path(__file__).with_name("live_app")

APPS = """
INSTALLED_APPS += ["{name}"]
"""
URLS = """
from django.urls import include, path  # noqa: E402

urlpatterns += [{ours}path("{name}/", include("{name}.urls"))]
"""
OURS = 'path("", include("realtime_wall.urls")), '


def start(name: str, write: Callable[[str], object]) -> None:
    if apps.is_installed(name):
        raise CommandError(f"there is an app {name!r} already")
    call_command("startapp", name, template=str(TEMPLATE), extensions=["py", "html", "js"])
    for module, lines in (
        (os.environ.get("DJANGO_SETTINGS_MODULE", ""), APPS.format(name=name)),
        (settings.ROOT_URLCONF, URLS.format(name=name, ours="" if _has_our_urls() else OURS)),
    ):
        _append(module, lines, write)
    write(
        f"The app {name!r} is there. Try it: manage.py test {name}, then manage.py rungevent, and /{name}/\n"
    )


def _has_our_urls() -> bool:
    try:
        reverse("realtime_wall:websocket")
    except NoReverseMatch:
        return False
    return True


def _append(module: str, lines: str, write: Callable[[str], object]) -> None:
    __import__(module)
    path = Path(getattr(sys.modules[module], "__file__", None) or "")
    is_the_sites = path.is_file() and Path.cwd() in path.resolve().parents and os.access(path, os.W_OK)
    if not is_the_sites:
        write(f"Put this at the end of {module}:\n{lines}\n")
        return
    with path.open("a", encoding="utf-8") as file:
        file.write(lines)
    write(f"Added to {path.relative_to(Path.cwd())}:\n{lines}\n")
