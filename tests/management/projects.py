"""Projects of a test's own, made from the tests' site."""

import textwrap

from tests.live import ROOT, SITE, LiveServer

SETTINGS = """
from site_settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "own"]
ROOT_URLCONF = "own.urls"
"""
URLS = """
from django.urls import path
from own import views
from site_urls import urlpatterns

urlpatterns = [path("own/", views.own), *urlpatterns]
"""
VIEWS = """
from django.http import HttpResponse

def own(request):
    return HttpResponse("first")
"""


def make(folder, *, manage=None, **files):
    """A Django project in this folder, with an app ``own`` of these files."""
    app = folder / "own"
    app.mkdir()
    written = {"__init__": "", "urls": URLS, "views": VIEWS, **files}
    for name, text in written.items():
        (app / f"{name}.py").write_text(textwrap.dedent(text))
    (folder / "own_settings.py").write_text(SETTINGS)
    standard = (SITE / "manage.py").read_text().replace("site_settings", "own_settings")
    (folder / "manage.py").write_text(textwrap.dedent(manage) if manage else standard)
    return folder


def serve(folder, **kwargs):
    """A server of such a project, not started."""
    environment = {"PYTHONPATH": f"{ROOT}:{SITE}", **kwargs.pop("environment", {})}
    return LiveServer(project=folder, environment=environment, **kwargs)
