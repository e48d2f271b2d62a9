"""The panel of the debug toolbar shows what a request has published, and of no other request."""

from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from realtime_wall import broadcast, cursor, publish
from realtime_wall.control import control_client
from realtime_wall.errors import NoSocket
from realtime_wall.node.node import Node
from realtime_wall.testing import Realtime
from realtime_wall.tracing.toolbar_panel import PublishedPanel


@pytest.fixture
def realtime(monkeypatch):
    for place in (Node, control_client):
        monkeypatch.setattr(place, "perform", place.perform)  # as it was, afterwards
    PublishedPanel.ready()
    PublishedPanel.ready()  # once is enough
    with Realtime() as realtime:
        yield realtime


def shown(view):
    """What the panel has after a request to this view."""
    toolbar = SimpleNamespace(stats={}, request_id="1", store=SimpleNamespace(save_panel=lambda *_: None))
    panel = PublishedPanel(toolbar, view)
    panel.process_request(RequestFactory().get("/"))
    return panel


def test_what_a_request_has_published_is_shown(realtime):
    realtime.connect(channels=["news"])

    def view(request):
        cursor()  # tells nobody anything
        publish("news", "<b>flood</b>", event="alert")
        broadcast("to everyone")
        return HttpResponse()

    publish("news", "before any request")
    panel = shown(view)

    assert panel.nav_subtitle == "2 by this request"
    assert "<td>Publish</td><td>news</td><td>alert</td><td>&quot;&lt;b&gt;flood" in panel.content
    assert "<td>everyone</td>" in panel.content and "before any" not in panel.content
    assert shown(lambda request: HttpResponse()).nav_subtitle == "0 by this request"


def test_what_failed_says_why(realtime):
    def view(request):
        with pytest.raises(NoSocket):
            broadcast("anybody?")
        return HttpResponse()

    assert "<td>NoSocket: There are no clients.</td>" in shown(view).content
