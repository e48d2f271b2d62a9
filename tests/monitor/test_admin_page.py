"""The live page of the admin: who may see it, what it shows, what may be done."""

import re

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path

from realtime_wall import publish
from realtime_wall.events import on_event
from realtime_wall.monitor import admin
from realtime_wall.monitor.figures import receivers_of, totals_of
from realtime_wall.monitor.models import LiveSite
from realtime_wall.sockets.dispatch import receiver_figures
from realtime_wall.testing import Realtime
from tests.fakes import no_receivers

urlpatterns = [path("admin/", site.urls), path("", include("realtime_wall.urls"))]
VIEW, CHANGE = "realtime_wall_monitor.view_livesite", "realtime_wall_monitor.change_livesite"


@pytest.fixture
def realtime(monkeypatch):
    monkeypatch.setattr(receiver_figures, "figures", {})
    with override_settings(ROOT_URLCONF=__name__), no_receivers(), Realtime() as realtime:
        yield realtime


@pytest.fixture(autouse=True)
def logged(monkeypatch):
    """What goes into the admin's log."""
    found = []
    monkeypatch.setattr(
        admin.LiveSiteAdmin, "log_change", lambda self, request, obj, text: found.append(text)
    )
    return found


def ask(page, *permissions, post=None, **query):
    factory = RequestFactory()
    request = factory.get("/", query) if post is None else factory.post("/", post, query_params=query)
    request.user = User(username="warden", is_staff=True, is_active=True)
    request.user._perm_cache = set(permissions)
    request._messages = CookieStorage(request)
    answer = getattr(site._registry[LiveSite], page)(request)
    if hasattr(answer, "render"):
        return re.sub(r"\s+", " ", answer.render().content.decode())
    return answer, [str(message) for message in request._messages]


@pytest.mark.parametrize("page", ["", "sockets/", "channels/", "channel/"])
def test_strangers_are_asked_to_sign_in(realtime, page):
    answer = Client().get(f"/admin/realtime_wall_monitor/livesite/{page}")

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")


@pytest.mark.parametrize("page", ["overview", "sockets", "channels", "channel"])
def test_staff_without_the_permission_see_nothing(realtime, page):
    with pytest.raises(PermissionDenied):
        ask(page)


def test_who_may_only_look_changes_nothing(realtime):
    client = realtime.connect()

    with pytest.raises(PermissionDenied):
        ask("sockets", VIEW, post={"disconnect": "1", "socket": client.session_id})

    assert "Disconnect" not in ask("sockets", VIEW)
    assert "Disconnect" in ask("sockets", VIEW, CHANGE)
    client.assert_nothing_sent()


def test_the_servers_and_the_receivers_are_shown(realtime):
    @on_event(name="say")
    def say(request, socket, context, event):
        return True

    realtime.connect("socketio").call("say", "hi")
    page = ask("overview", VIEW)

    assert realtime.node.address in page
    assert re.search(r"test_admin_page\.\S*say</th><td>1</td><td>0</td>", page)


def test_sockets_are_shown_a_page_at_a_time_and_found_by_their_channel(realtime, monkeypatch):
    monkeypatch.setattr(admin, "PAGE", 2)
    clients = [realtime.connect(channels=["a/<b>".replace("/", "-")]) for _ in range(3)]
    realtime.connect()
    ids = sorted(client.session_id for client in realtime.clients)

    first = ask("sockets", VIEW, CHANGE)
    after = re.search(r'href="\?after=([^"]+)">Next page', first)[1]
    second = ask("sockets", VIEW, CHANGE, after=after)
    found = ask("sockets", VIEW, CHANGE, channel="a-<b>", after=ids[0])

    shown = [re.findall(r'name="socket" value="([^"]+)"', page) for page in (first, second, found)]
    assert shown[0] + shown[1] == ids
    assert set(shown[2]) <= {client.session_id for client in clients}
    assert "a-&lt;b&gt;" in first and "a-<b>" not in first
    assert "4 sockets on all servers" in first


def test_chosen_sockets_are_disconnected_or_sent_to(realtime, logged):
    ada, grace = realtime.connect(), realtime.connect()

    answer, told = ask("sockets", VIEW, CHANGE, post={"message": "Good night", "socket": ada.session_id})
    assert ada.receive().data == "Good night"
    _, closed = ask(
        "sockets", VIEW, CHANGE, post={"disconnect": "1", "socket": [grace.session_id, "gone"]}, channel="a"
    )
    _, nothing = ask("sockets", VIEW, CHANGE, post={"message": " ", "socket": ada.session_id})

    assert answer.status_code == 302
    assert grace.wait_closed()[0] == 3503
    assert told == ["Sent to 1 of 1 sockets: Good night"] and closed == ["1 of 2 sockets disconnected."]
    assert logged == [*told, *closed]
    assert nothing == ["There was nothing to send."]
    ada.assert_nothing_sent()


def test_chosen_sockets_are_put_on_a_channel_and_taken_off(realtime, logged):
    ada, grace = realtime.connect(), realtime.connect(channels=["news"])
    chosen = [ada.session_id, grace.session_id]

    _, on = ask(
        "sockets", VIEW, CHANGE, post={"subscribe": "1", "to": "backstage", "socket": [*chosen, "gone"]}
    )
    realtime.settle()
    assert [one.socket.channels for one in (ada, grace)] == [("backstage",), ("news", "backstage")]
    _, off = ask("sockets", VIEW, CHANGE, post={"unsubscribe": "1", "to": "news", "socket": grace.session_id})
    realtime.settle()
    assert grace.socket.channels == ("backstage",)
    _, bad = ask("sockets", VIEW, CHANGE, post={"subscribe": "1", "to": "a*", "socket": chosen})

    assert on == ["2 of 3 sockets put on channel backstage."]
    assert off == ["1 of 1 sockets taken off channel news."]
    assert "channel 'a*'" in bad[0]
    assert logged == [*on, *off]


def test_what_is_drawn_over_time_is_among_the_figures_of_the_page(realtime):
    page = ask("overview", VIEW)

    drawn = re.findall(r'data-series="(\w+)"', page)
    assert len(drawn) == 4
    assert all(f'data-figure="{name}"' in page for name in drawn)


def test_channels_are_listed_and_one_shows_its_last_messages(realtime):
    realtime.connect(channels=["news"])
    publish("news", "<i>flood</i>", event="alert")
    publish("sport", 1)

    listed, one = ask("channels", VIEW, prefix="n"), ask("channel", VIEW, name="news")

    assert "news</a>" in listed and "sport" not in listed
    assert '<td data-channel="news" data-published="1"></td>' in listed
    assert "1 subscriber, 1 message published, 1 kept" in one
    assert "&lt;i&gt;flood&lt;/i&gt;" in one and "alert" in one


def test_bad_input_and_no_server_are_said_on_the_page(realtime):
    assert "channel &#x27;a*&#x27;" in ask("channel", VIEW, name="a*")
    realtime.stop()
    try:
        assert "is running" in ask("overview", VIEW) or "no running server" in ask("overview", VIEW)
    finally:
        realtime.start()


def test_the_log_is_counted_once_and_clients_are_added_up():
    servers = [
        {
            "values": {"sockets": 2, "published_messages_total": 9},
            "receivers": {"a": [1, 0, 0.1], "b": [1, 1, 1]},
        },
        {
            "values": {"sockets": 3, "published_messages_total": 9},
            "receivers": {"a": [3, 1, 0.1], "c": [0, 0, 0]},
        },
    ]

    totals = {label: value for _, label, value in totals_of(servers)}
    assert (totals["sockets"], totals["messages published"]) == (5, 9)
    assert [(one.name, one.calls, one.failures, round(one.mean)) for one in receivers_of(servers)] == [
        ("b", 1, 1, 1000),
        ("a", 4, 1, 50),
    ]
