"""A user who leaves is cut, on every transport, and others are not."""

import json
import time

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.live import LiveServer
from tests.open_shell import OpenShell
from tests.site_tables import with_tables

PEOPLE = """
for name in ("ada", "bob"):
    User.objects.create_user(name, password=name)
"""
EVE = """
User.objects.filter(username="eve").delete()
User.objects.create_user("eve", password="eve")
"""
UNDONE = """
from django.db import transaction
with transaction.atomic():
    User.objects.get(username="bob").delete()
    transaction.set_rollback(True)
"""


@pytest.fixture(scope="module")
def server():
    with with_tables(LiveServer(settings={"CHANNELS": {"staff*": {"READ": "staff"}}})) as running:
        yield running


@pytest.fixture(scope="module")
def shell(server):
    """What an administrator types into manage.py shell."""
    with OpenShell(server) as opened:

        def run(code):
            return opened.run("from django.contrib.auth.models import User\n" + code)

        run(PEOPLE)
        yield run


class Browser:
    """A signed-in visitor: a cookie for pages, and for sockets."""

    def __init__(self, server, name):
        self.server = server
        self.session = requests.Session()
        answer = self.session.post(
            f"http://{server.host}/login/", data={"name": name, "password": name}, timeout=10
        )
        assert answer.text == name

    def client(self):
        cookie = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        return self.server.client(origin=f"http://{self.server.host}", additional_headers={"Cookie": cookie})

    def log_in_as(self, name):
        self.session.post(
            f"http://{self.server.host}/login/", data={"name": name, "password": name}, timeout=10
        )

    def logout(self):
        self.session.post(f"http://{self.server.host}/logout/", timeout=10)


def code_of_the_end(client):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.read()
    return closed.value.rcvd.code


@pytest.mark.threat("S36")
def test_logout_ends_the_sockets_of_that_session_only(server, shell):
    ada, elsewhere = Browser(server, "ada"), Browser(server, "ada")

    with ada.client() as one, ada.client() as two, elsewhere.client() as other, server.client() as stranger:
        assert one.ask("who")["user"] == "ada"
        ada.logout()
        started = time.monotonic()

        assert code_of_the_end(one) == code_of_the_end(two) == 3501
        assert time.monotonic() - started < 5
        assert other.ask("add", [1]) == stranger.ask("add", [1]) == 1


@pytest.mark.threat("S37")
def test_a_login_as_somebody_else_ends_the_sockets_of_the_session_before(server, shell):
    ada, elsewhere = Browser(server, "ada"), Browser(server, "ada")
    with ada.client() as one, elsewhere.client() as other:
        ada.log_in_as("ada")
        assert one.ask("who")["user"] == "ada"
        ada.log_in_as("bob")
        started = time.monotonic()

        assert code_of_the_end(one) == 3501
        assert time.monotonic() - started < 5
        assert other.ask("add", [1]) == 1


@pytest.mark.threat("S36")
@pytest.mark.parametrize(
    "what", ["user.set_password('new'); user.save()", "user.is_active = False; user.save()", "user.delete()"]
)
def test_a_changed_account_ends_all_sockets_of_its_user_even_from_a_shell(server, shell, what):
    shell(EVE)
    eve, bob = Browser(server, "eve"), Browser(server, "bob")

    with eve.client() as cut, bob.client() as kept:
        shell(f"user = User.objects.get(username='eve'); {what}")

        assert code_of_the_end(cut) == 3501
        assert kept.ask("add", [2]) == 2


EXPIRES = """
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
ends = timezone.now() + timedelta(seconds=2)
Session.objects.filter(pk={key!r}).update(expire_date=ends)
print(ends.timestamp())
"""


@pytest.mark.threat("S36")
def test_a_session_that_expires_ends_its_sockets_within_a_second(server, shell):
    ada, bob = Browser(server, "ada"), Browser(server, "bob")
    ends = float(shell(EXPIRES.format(key=ada.session.cookies["sessionid"])))

    with ada.client() as cut, bob.client() as kept:
        assert cut.ask("who")["user"] == "ada"
        assert code_of_the_end(cut) == 3501
        assert 0 <= time.time() - ends < 1
        assert kept.ask("add", [5]) == 5


GIVEN = """
from django.contrib.auth.models import Group, Permission
eve, staff = User.objects.get(username="eve"), Group.objects.create(name="staff")
staff.permissions.add(Permission.objects.get(codename="view_user"))
eve.groups.add(staff)
eve.is_staff = True
eve.save()
"""
TAKEN = """
from django.contrib.auth.models import Group
Group.objects.get(name="staff").permissions.clear()
eve = User.objects.get(username="eve")
eve.is_staff = False
eve.save()
"""


def test_what_a_user_may_do_is_seen_by_its_open_sockets(server, shell):
    shell(EVE)
    eve = Browser(server, "eve")

    with eve.client() as client:
        assert client.ask("powers") == [False, []]
        shell(GIVEN)
        assert client.ask("powers") == [True, ["auth.view_user"]]
        shell(TAKEN)
        assert client.ask("powers") == [False, []]


STAFF = "eve = User.objects.get(username='eve'); eve.is_staff = {}; eve.save()"


def test_who_is_no_staff_any_more_hears_the_staffs_channel_no_more(server, shell):
    shell(EVE + STAFF.format(True))
    eve = Browser(server, "eve")

    with eve.client() as client, server.client() as stranger:
        assert client.subscribe("staff room")["type"] == "subscribed"
        assert client.subscribe("lobby")["type"] == "subscribed"
        assert stranger.subscribe("staff room")["code"] == "refused"

        shell(STAFF.format(False))
        told = client.read_until(lambda one: one["type"] == "unsubscribed")
        shell("from realtime_wall import publish; [publish(c, c) for c in ('staff room', 'lobby')]")

        assert told == {"type": "unsubscribed", "channel": "staff room"}
        assert client.read()["message"] == "lobby"
        assert client.subscribe("staff room")["code"] == "refused"


def test_an_ordinary_save_of_a_user_ends_nothing(server, shell):
    bob = Browser(server, "bob")

    with bob.client() as kept:
        shell("user = User.objects.get(username='bob'); user.email = 'b@b.example'; user.save()")
        bob.session.get(f"http://{server.host}/user/", timeout=10)

        assert kept.ask("add", [3]) == 3


def test_a_transaction_that_is_undone_cuts_nobody(server, shell):
    bob = Browser(server, "bob")

    with bob.client() as kept:
        shell(UNDONE)

        assert kept.ask("add", [4]) == 4


@pytest.mark.threat("S36")
def test_nothing_published_after_the_logout_is_heard(server, shell):
    ada = Browser(server, "ada")

    with ada.client() as cut:
        cut.subscribe("news")
        ada.logout()
        shell("from realtime_wall import publish; publish('news', 'secret')")
        heard = []
        with pytest.raises(ConnectionClosed):
            while True:
                heard.append(json.dumps(cut.read()))

    assert "secret" not in "".join(heard)
