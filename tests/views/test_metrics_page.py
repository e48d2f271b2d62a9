"""Who may read the metrics of a site, and that they are of all its servers."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client, RequestFactory, override_settings
from prometheus_client.parser import text_string_to_metric_families

from realtime_wall import channel_token
from realtime_wall.testing import Realtime
from realtime_wall.views.metrics_page import metrics_page
from tests.fakes import no_receivers, running_node

KEY = "a long random text"


def ask(user=None, **headers):
    request = RequestFactory().get("/metrics/", **headers)
    request.user = user or AnonymousUser()
    return metrics_page(request).status_code


@pytest.mark.threat("S39")
@pytest.mark.parametrize("key", ["", KEY])
@pytest.mark.parametrize("given", [None, "Bearer ", "Bearer another", f"Basic {KEY}", KEY])
def test_it_is_closed_to_strangers(key, given):
    headers = {} if given is None else {"HTTP_AUTHORIZATION": given}
    with running_node(metrics_key=key):
        assert ask(**headers) == 403


def test_it_is_open_to_the_key_and_to_staff():
    writer, reader = channel_token("*", write=True), channel_token("*")
    with running_node(metrics_key=KEY):
        assert ask(HTTP_AUTHORIZATION=f"Bearer {KEY}") == 200
        assert ask(User(is_staff=True, is_active=True)) == 200
        assert ask(User(is_staff=False, is_active=True)) == 403
        assert ask(HTTP_AUTHORIZATION=f"Bearer {writer}") == 200
        assert ask(HTTP_AUTHORIZATION=f"Bearer {reader}") == 403


def test_what_is_no_server_says_so():
    assert ask() == 426


def test_a_scrape_has_what_clients_do():
    settings = override_settings(REALTIME_WALL={"METRICS_KEY": KEY})
    with settings, no_receivers(), Realtime() as realtime:
        realtime.connect("socketio", channels=["news"])
        realtime.connect("eventsource", channels=["news"])
        response = Client().get("/metrics/", HTTP_AUTHORIZATION=f"Bearer {KEY}")

    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert response["Cache-Control"].startswith("no-cache")
    assert found["realtime_wall_sockets"] == found["realtime_wall_listeners"] == 1
    assert found["realtime_wall_connections"] == found["realtime_wall_subscriptions"] == 2
