"""What middleware sets up for a visitor is there in every receiver of the visitor's socket."""

import json

import pytest

from tests.live import LiveServer
from tests.site_tables import with_tables

MIDDLEWARE = "django.middleware.locale.LocaleMiddleware site_app.middleware.VisitorMiddleware"


@pytest.fixture(scope="module")
def server():
    with with_tables(LiveServer(environment={"SITE_MIDDLEWARE": MIDDLEWARE})) as server:
        yield server


def visitor(server, language, name, zone):
    return server.client(f"?name={name}&zone={zone}", additional_headers={"Accept-Language": language})


def test_each_visitor_has_language_zone_and_variables_in_all_receivers(server):
    with (
        visitor(server, "fr", "ada", "Asia/Tokyo") as ada,
        visitor(server, "de", "bob", "Europe/Kyiv") as bob,
    ):
        for _ in range(2):  # what a receiver activates is gone in the next
            assert ada.ask("surroundings", "es") == ["fr", "Asia/Tokyo", "ada"]
            assert bob.ask("surroundings", "es") == ["de", "Europe/Kyiv", "bob"]
        assert ada.ask("at first") == ["fr", "Asia/Tokyo", "ada"]
        assert bob.ask("at first") == ["de", "Europe/Kyiv", "bob"]


def test_who_returns_by_a_ticket_has_them_too(server):
    with visitor(server, "fr", "ada", "Asia/Tokyo") as ada:
        welcome = ada.welcome["message"]
    again = f"Asia/Tokyo&session={welcome['session']}&ticket={welcome['ticket']}"

    with visitor(server, "fr", "ada", again) as ada:
        assert "ticket" not in ada.welcome["message"]  # it was taken
        for _ in range(2):
            assert ada.ask("surroundings", "es") == ["fr", "Asia/Tokyo", "ada"]
        assert ada.ask("at first") == ["fr", "Asia/Tokyo", "ada"]


def test_a_visitor_without_any_has_the_site_s(server):
    with visitor(server, "fr", "ada", "Asia/Tokyo") as ada, server.client() as nobody:
        ada.ask("surroundings")
        assert nobody.ask("surroundings") == ["en", "UTC", "nobody"]


def test_a_receiver_that_saves_the_session_keeps_what_pages_wrote_since(server):
    page = server.get("/session/?first=1")
    cookie = "sessionid=" + json.loads(page.body)["key"]
    headers = {"Cookie": cookie}
    with server.client(origin=f"http://{server.host}", additional_headers=headers) as client:
        assert client.ask("session items") == {"first": "1"}
        server.get("/session/?second=2", f"Cookie: {cookie}")
        assert client.ask("session items") == {"first": "1", "second": "2"}
        server.get("/session/?third=3", f"Cookie: {cookie}")
        client.ask("save session", "own")
        assert client.ask("session items") == {
            "first": "1",
            "second": "2",
            "third": "3",
            "own": "by a receiver",
        }
