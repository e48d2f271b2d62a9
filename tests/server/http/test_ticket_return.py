"""Who returns by a ticket, and who is asked everything again, at a real server.

A client that returned by one is given no other at its welcome, and so it is seen.
"""

import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed

from realtime_wall.auth import visitor_address
from realtime_wall.auth.lazy_request import LazyRequest
from realtime_wall.server.http import hand_over
from realtime_wall.server.http.early_handshake import EarlyHandshake
from realtime_wall.server.http.ticket_return import TicketReturns
from tests.fakes import running_node
from tests.live import LiveServer, wait_for
from tests.open_shell import OpenShell

LOG_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
user = User.objects.get(username={name!r})
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(settings.SESSION_COOKIE_NAME + "=" + session.session_key)
"""
USERS = "from django.contrib.auth.models import User\n"
SETTINGS = {"CHANNELS": {"staff*": {"READ": "staff"}, "users*": {"READ": "users"}}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    # Of a fixed port: it is started anew, and a ticket is good for one host.
    with LiveServer(address=free_port(), settings=SETTINGS) as running:
        assert running.manage("migrate", "-v0").returncode == 0
        yield running


@pytest.fixture(scope="module")
def shell(server):
    with OpenShell(server) as opened:
        yield lambda code: opened.run(USERS + code)


class Browser:
    """Somebody signed in, and how the client was left off."""

    number = 0

    def __init__(self, server, shell, staff=False):
        Browser.number += 1
        self.server, self.shell, self.name = server, shell, f"user{Browser.number}"
        shell(f"User.objects.create_user({self.name!r}, is_staff={staff})")
        self.log_in()

    def log_in(self):
        self.headers = {"Cookie": self.shell(LOG_IN.format(name=self.name)).strip()}

    def connect(self, query="", **changes):
        origin = changes.pop("origin", f"http://{self.server.host}")
        headers = {**self.headers, **changes}
        return self.server.client(query, origin=origin, additional_headers=headers)

    def leave(self, *channels):
        """Connect, and be cut; what is in the address of the return."""
        with self.connect() as client:
            for channel in channels:
                assert client.subscribe(channel)["type"] == "subscribed"
            # Whose session it is the server finds out soon.
            ticket = wait_for(lambda: (found := new_ticket(client)).split(".")[2] and found)
            return f"?since={client.welcome['cursor']}&session={client.session}&ticket={ticket}"


@pytest.fixture
def ada(server, shell):
    return Browser(server, shell)


def by_ticket(client):
    return "ticket" not in client.welcome["message"]


def returns(browser, query, **changes):
    with browser.connect(query, **changes) as client:
        return by_ticket(client)


def new_ticket(client):
    client.tell({"type": "heartbeat", "id": 8})
    return client.read_until(lambda one: one.get("id") == 8)["message"]


def code_of_the_end(client):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.read()
    return closed.value.rcvd.code


def requests_seen(server):
    return json.loads(server.get("/counts/").body)["started"]


def test_a_return_needs_no_request_and_brings_what_was_missed(server, shell, ada):
    query = ada.leave()
    shell("from realtime_wall import publish; publish('news', 1)")
    since = query.partition("since=")[2].partition("&")[0]
    before = requests_seen(server)

    with ada.connect(query) as client:
        assert by_ticket(client)
        answer = client.subscribe("news", since)
        assert (answer["type"], answer["recovered"]) == ("subscribed", True)
        assert client.read()["message"] == 1
        assert requests_seen(server) == before + 1  # this question
        wait_for(lambda: new_ticket(client), "another ticket, after it was asked about")
        assert requests_seen(server) == before + 2


def test_the_address_says_on_which_channels_it_was_with_and_without_a_good_ticket(server, shell, ada):
    query = ada.leave("users 1")
    since = query.partition("since=")[2].partition("&")[0]
    shell("from realtime_wall import publish; publish('users 1', 'missed')")
    before, wanted = requests_seen(server), f"{query}&on=users+1@{since}&on=staff@{since}&on=news@"

    for is_by_ticket in (True, False):  # it is good for one return
        with ada.connect(wanted) as client:
            first, missed, second, third = (client.read() for _ in range(4))
            assert by_ticket(client) == is_by_ticket
            assert (first["type"], first["id"], first["recovered"]) == ("subscribed", "users 1", True)
            assert (missed["channel"], missed["message"]) == ("users 1", "missed")
            assert (second["code"], second["id"]) == ("refused", "staff")
            assert (third["type"], third["id"]) == ("subscribed", "news")
    # That one may not hear "staff" the site itself was asked.
    assert requests_seen(server) >= before + 2


def test_receivers_find_session_and_user_when_they_look(ada):
    with ada.connect(ada.leave()) as client:
        assert by_ticket(client)
        assert client.ask("who")["user"] == ada.name
        assert client.ask("who")["user"] == ada.name


def test_a_ticket_is_good_for_one_return(ada):
    query = ada.leave()

    assert returns(ada, query)
    assert not returns(ada, query)


@pytest.mark.threat("S35")
def test_nobody_else_returns_by_it(server, shell, ada):
    query = ada.leave()
    other = Browser(server, shell)

    assert not returns(other, query)
    with server.client(query) as stranger:
        assert not by_ticket(stranger)
        assert stranger.ask("who")["user"] == "AnonymousUser"
    assert not returns(ada, query.replace("session=", "session=x"))
    assert not returns(ada, query[:-1] + ("A" if query[-1] != "A" else "B"))
    assert not returns(ada, query + "&room=1")
    assert not returns(ada, query + "&" + query[1:])
    assert not returns(ada, query, **{"User-Agent": "another"})
    assert returns(ada, query)  # none of them has spoiled it


@pytest.mark.threat("S31")
def test_a_page_of_another_site_is_refused_with_a_ticket_as_without(ada):
    with pytest.raises(Exception, match="403"):
        ada.connect(ada.leave(), origin="http://evil.example")


@pytest.mark.threat("S36")
def test_after_a_logout_nobody_returns(server, ada):
    query, cookie = ada.leave(), ada.headers
    server.get("/logout/", f"Cookie: {cookie['Cookie']}")

    with server.client(query, origin=f"http://{server.host}", additional_headers=cookie) as client:
        assert not by_ticket(client)
        assert client.ask("who")["user"] == "AnonymousUser"


@pytest.mark.threat("S36")
@pytest.mark.parametrize(
    "what",
    [
        "user.set_password('new'); user.save()",
        "user.is_active = False; user.save()",
        "user.groups.set([])",  # nothing has changed
        "user.is_staff = True; user.save()",
    ],
)
def test_after_a_change_of_the_account_everything_is_asked_again(shell, ada, what):
    query = ada.leave()
    shell(f"user = User.objects.get(username={ada.name!r}); {what}")

    assert returns(ada, query) is ("groups" in what)


def test_a_session_that_got_another_key_returns_by_a_handshake(server, ada):
    query = ada.leave()
    ada.log_in()

    assert not returns(ada, query)


@pytest.mark.threat("S36")
@pytest.mark.parametrize(
    "what",
    [
        "User.objects.filter(pk=user.pk).update(is_active=False)",
        "User.objects.filter(pk=user.pk).update(password='new')",
        "User.objects.filter(pk=user.pk).delete()",
        "from django.contrib.sessions.models import Session; Session.objects.all().delete()",
    ],
)
def test_what_no_server_was_told_of_is_found_within_a_second(server, shell, ada, what):
    """As by a server that was started after it had happened."""
    query = ada.leave()
    shell(
        "from django.db.models.signals import post_delete; post_delete.receivers = []\n"
        f"user = User.objects.get(username={ada.name!r}); {what}"
    )

    with ada.connect(query) as client:
        assert by_ticket(client)
        assert code_of_the_end(client) == 3501


def test_a_channel_that_was_lost_is_left_soon(server, shell):
    boss = Browser(server, shell, staff=True)
    query = boss.leave("staff room", "users here")
    shell(f"User.objects.filter(username={boss.name!r}).update(is_staff=False)")

    with boss.connect(query) as client:
        assert client.subscribe("staff room")["type"] == "subscribed"
        assert client.subscribe("users here")["type"] == "subscribed"
        left = client.read_until(lambda one: one["type"] == "unsubscribed")
        assert left["channel"] == "staff room"
        assert client.ask("add", [1]) == 1
        assert "staff" not in (wait_for(lambda: new_ticket(client)) or "")


def test_a_server_that_was_started_anew_takes_them_too(server, ada):
    query = ada.leave()
    assert server.stop() == 0
    server.start()
    server.wait_for_log("Starting gevent server", count=2)

    with ada.connect(query) as client:
        assert by_ticket(client)
        assert client.ask("who")["user"] == ada.name


def test_both_are_counted(server, ada):
    query = ada.leave()
    returns(ada, query)
    returns(ada, query)
    told = json.loads(server.manage("realtime", "stats", "--json").stdout)

    assert told["returned_by_ticket"] >= 1
    assert told["tickets_not_taken"] >= 1
    assert query.partition("ticket=")[2] not in server.output


# Without a server


class ASite:
    """One whose application answers as it is told."""

    stopping = False

    def __init__(self, answer):
        self.application = answer

    def get_environ(self):
        return {"wsgi.url_scheme": "http"}


def lazy():
    return LazyRequest({"PATH_INFO": "/ws/", "REQUEST_METHOD": "GET"}, None, lambda request: "")


def answering(status, body=b""):
    def application(environ, start_response):
        assert environ[hand_over.META_KEY].is_rehearsal
        start_response(status, [])
        return [body]

    return application


def failing(environ, start_response):
    raise RuntimeError("a middleware of the server's")


@pytest.mark.parametrize(
    ("application", "reason"),
    [
        (answering("403 Forbidden", b"banned\n"), "banned"),
        (answering("302 Found"), "302 Found"),
        (answering("500 Internal Server Error", b"<h1>Sorry</h1>"), "500 Internal Server Error"),
        (answering("101 Switching Protocols"), "101 Switching Protocols"),  # of another view
        (failing, "failed"),
    ],
)
def test_a_site_that_does_not_let_it_in_gives_the_reason(application, reason):
    returns = TicketReturns(None, ASite(application))

    assert returns._make("", lazy()) == reason


QUERY = "since=epoch:1&session=a.b&ticket=x"


def found(query):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/ws/",
        "QUERY_STRING": query,
        "HTTP_HOST": "site.example",
        "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
        visitor_address.META_KEY: "192.0.2.1",
    }
    return EarlyHandshake(f"GET /ws/?{query} HTTP/1.1", environ)


@pytest.mark.parametrize(
    "query",
    [
        "since=epoch&session=a&ticket=x",
        "ticket=x",
        "session=a&ticket=",
        "session=a&ticket=x&ticket=y",
        "session=a",
    ],
)
def test_no_ticket_is_looked_at_where_not_all_that_goes_with_it_is_said(query):
    with running_node() as node:
        assert TicketReturns(node, ASite(None)).find(found(query)) is None
        assert node.tickets.not_taken == 0
        assert TicketReturns(node, ASite(None)).find(found(QUERY)) is None
        assert node.tickets.not_taken == 1
        node.stopping = True
        assert TicketReturns(node, ASite(None)).find(found(QUERY)) is None
        assert node.tickets.not_taken == 1
