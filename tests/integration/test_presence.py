"""Two servers of one site on one machine, as real processes: who is where, and who has to go."""

import json
import os
import shutil
import signal

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.live import LiveServer
from tests.open_shell import OpenShell
from tests.site_tables import with_tables

PEOPLE = """
from django.contrib.auth.models import User
for name in ("ada", "bob", "eve"):
    User.objects.create_user(name, password=name, is_staff=name == "bob")
"""
SETTINGS = {"CHANNELS": {"room*": {"PRESENCE": True}, "*": {"WRITE": "staff"}}, "PRESENCE_GRACE": 0.5}


@pytest.fixture(autouse=True)
def closed_tabs():
    yield
    close_tabs()


def close_tabs():
    while Browser.tabs:
        Browser.tabs.pop().close()


class Site:
    """Two servers of one project, which share what a project shares."""

    def __init__(self, database, arguments=("--noreload",)):
        self.first = LiveServer(settings=SETTINGS, arguments=arguments)
        shutil.copy(database, self.first.environment["SITE_DATABASE"])
        where = self.first.directory.name
        self.second = LiveServer(
            settings={**SETTINGS, "RUNTIME_DIR": where},
            environment={"SITE_DATABASE": self.first.environment["SITE_DATABASE"]},
        )
        self._shell = None

    def __enter__(self):
        try:
            self.first.start()
            self.second.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        close_tabs()  # or the servers would wait for their goodbyes
        if self._shell is not None:
            self._shell.close()
        for server in (self.second, self.first):
            if server.process is not None:
                server.stop()
            server.__exit__()

    def shell(self, code):
        """What an administrator types into manage.py shell; what is printed is JSON."""
        code = "import json\nfrom realtime_wall import cluster\n" + code
        if self._shell is None:
            self._shell = OpenShell(self.first)
        return json.loads(self._shell.run(code) or "null")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """With three people, to be copied."""
    server = LiveServer()
    path = tmp_path_factory.mktemp("database") / "db.sqlite3"
    server.environment["SITE_DATABASE"] = str(path)
    done = with_tables(server).manage("shell", "-v0", "-c", PEOPLE)
    assert done.returncode == 0, done.stderr
    server.directory.cleanup()
    return path


@pytest.fixture(scope="module")
def site(database):
    with Site(database) as running:
        yield running


@pytest.fixture
def own_site(database):
    with Site(database) as running:
        yield running


class Browser:
    """A signed-in visitor, of whichever server answers."""

    tabs = []  # noqa: RUF012  all that were opened

    def __init__(self, server, name):
        self.session = requests.Session()
        self.name = name
        self.session.post(f"http://{server.host}/login/", data={"name": name, "password": name}, timeout=10)

    def open(self, server):
        cookie = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        self.tabs.append(server.client(origin=f"http://{server.host}", additional_headers={"Cookie": cookie}))
        return self.tabs[-1]


def enter(browser, server, channel="room"):
    """A tab on a channel, and the people that it was told of."""
    tab = browser.open(server)
    assert tab.subscribe(channel)["type"] == "subscribed"
    data = tab.read_until(lambda one: one["type"] == "presence")["message"]
    assert data["channel"] == channel
    return tab, [one["name"] for one in data["people"]]


def next_event(tab):
    """The next of what is told of people, and of whom."""
    one = tab.read_until(lambda one: one["type"] in ("joined", "left"))
    return one["type"], one["message"]["person"]["name"]


def code_of_the_end(tab):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            tab.read()
    return closed.value.rcvd and closed.value.rcvd.code


def test_tabs_on_two_servers_are_one_person_who_leaves_with_the_last(site):
    ada, bob, eve = (Browser(site.first, name) for name in ("ada", "bob", "eve"))
    listening, _ = enter(bob, site.first)
    one, _ = enter(ada, site.first)
    other, people = enter(ada, site.second)
    assert people == ["bob", "ada"]
    assert [next_event(listening) for _ in range(2)] == [("joined", "bob"), ("joined", "ada")]

    one.close()
    another, people = enter(eve, site.second)
    assert people == ["bob", "ada", "eve"]
    other.close()

    assert [next_event(listening) for _ in range(2)] == [("joined", "eve"), ("left", "ada")]
    assert [next_event(another) for _ in range(2)] == [("joined", "eve"), ("left", "ada")]


def test_a_shell_knows_who_is_connected_and_where(site):
    ada, bob = Browser(site.first, "ada"), Browser(site.second, "bob")
    with enter(ada, site.first, "room 2")[0] as one, enter(bob, site.second, "room 2")[0] as other:
        told = site.shell(
            "print(json.dumps([[one.session_id, one.channels, one.user_id, one.server]"
            " for one in cluster.sockets('room 2')]))"
        )
        people = site.shell("print(json.dumps(cluster.presence('room 2')))")
        servers = site.shell("print(json.dumps([[one.address, one.pid] for one in cluster.servers()]))")

        by_id = {session_id: more for session_id, *more in told}
        assert by_id.keys() == {one.session, other.session}
        assert by_id[one.session] == [["room 2"], "1", one.session.partition(".")[0]]
        assert by_id[other.session] == [["room 2"], "2", other.session.partition(".")[0]]
        assert [person["name"] for person in people] == ["ada", "bob"]
        assert {pid for _, pid in servers} == {site.first.process.pid, site.second.process.pid}
        assert {address for address, _ in servers} == {more[2] for more in by_id.values()}


def test_a_socket_and_a_user_are_disconnected_anywhere(site):
    ada, eve = Browser(site.first, "ada"), Browser(site.second, "eve")
    tabs = [ada.open(server) for server in (site.first, site.second)]
    others = [eve.open(server) for server in (site.first, site.second)]

    for tab in others:
        site.shell(f"cluster.disconnect({tab.session!r}, 3600, 'enough')")
        assert code_of_the_end(tab) == 3600
    told = site.shell(
        "from django.contrib.auth.models import User\n"
        "ada = User.objects.get(username='ada')\n"
        "moved = cluster.subscribe('moved', user=ada).sockets\n"
        "while len(cluster.sockets('moved')) < 2: pass\n"
        "print(json.dumps([moved, cluster.disconnect_user(ada).sockets]))"
    )

    assert told == [2, 2]
    assert [code_of_the_end(tab) for tab in tabs] == [3503, 3503]


@pytest.mark.threat("S36")
def test_a_logout_reaches_the_sockets_of_both_servers(site):
    ada, elsewhere = Browser(site.first, "ada"), Browser(site.first, "ada")
    tabs = [ada.open(server) for server in (site.first, site.second)]
    with elsewhere.open(site.second) as other:
        ada.session.post(f"http://{site.second.host}/logout/", timeout=10)

        assert [code_of_the_end(tab) for tab in tabs] == [3501, 3501]
        assert other.ask("add", [1, 2]) == 3


def test_receipts_and_statistics_count_both_servers(site):
    bob = Browser(site.first, "bob")
    with site.first.client() as one, site.second.client() as two, site.second.client() as three:
        for number, client in enumerate((one, two, three)):
            client.subscribe("everywhere")
            client.subscribe(f"only.{number}")
        told = site.shell(
            "from realtime_wall import broadcast_channel\n"
            "receipt = broadcast_channel('hello', 'everywhere')\n"
            "print(json.dumps([receipt.processes, receipt.sockets]))"
        )
        assert told == [2, 3]
        for server in (site.first, site.second):
            summary, everything, only, channel, several = (
                bob.session.get(f"http://{server.host}/events/stats/{what}", timeout=10).json()
                for what in ("", "ALL", "only*", "everywhere", "everywhere/only.2")
            )
            assert (summary["sockets"], len(summary["by_worker"])) == (3, 2)
            assert summary["channels"] == everything["channels"] == len(everything["infos"]) >= 4
            assert [one["channel"] for one in only["infos"]] == ["only.0", "only.1", "only.2"]
            assert (only["channels"], channel["subscribers"]) == (3, 3)
            assert [one["subscribers"] for one in several["infos"]] == [3, 1]


def test_who_is_on_a_server_that_is_killed_leaves_once(own_site):
    site = own_site
    ada, bob = Browser(site.first, "ada"), Browser(site.first, "bob")
    listening, _ = enter(bob, site.first)
    enter(ada, site.second), enter(bob, site.second)
    site.second.process.kill()

    told = [next_event(listening) for _ in range(3)]
    assert told == [("joined", "bob"), ("joined", "ada"), ("left", "ada")]
    eve, people = enter(Browser(site.first, "eve"), site.first)
    assert people == ["bob", "eve"]
    assert next_event(listening) == ("joined", "eve")


def test_when_the_server_that_tells_is_killed_the_other_one_does(own_site):
    site = own_site
    ada, bob = Browser(site.second, "ada"), Browser(site.second, "bob")
    enter(ada, site.first)
    listening, people = enter(bob, site.second)
    assert people == ["ada", "bob"]
    assert next_event(listening) == ("joined", "bob")
    site.first.process.send_signal(signal.SIGKILL)

    assert code_of_the_end(listening) is None  # cut off, to come back: there is a new order
    again, people = enter(bob, site.second)
    assert people in (["ada", "bob"], ["bob"])  # ada may still be on her way to the other server
    assert next_event(again) == ("left", "ada")
    eve, people = enter(Browser(site.second, "eve"), site.second)
    assert people == ["bob", "eve"]
    assert next_event(again) == ("joined", "eve")


def test_workers_share_who_is_here_and_one_that_is_killed_takes_only_its_own(database):
    with Site(database, ("--noreload", "--workers", "2")) as site:
        ada, bob = Browser(site.first, "ada"), Browser(site.first, "bob")
        tabs = {}
        while len(tabs) < 2:  # until both workers have been met
            tab, _ = enter(ada if not tabs else bob, site.first)
            tabs.setdefault(tab.session.partition(".")[0], (tab, "ada" if not tabs else "bob"))
        servers = dict(site.shell("print(json.dumps([[one.address, one.pid] for one in cluster.servers()]))"))
        assert len(servers) == 3
        third, people = enter(Browser(site.first, "eve"), site.second)
        assert set(people) == {"ada", "bob", "eve"}
        (address, (_, name)), *_ = tabs.items()
        assert name == "ada"
        os.kill(servers[address], signal.SIGKILL)

        event = next_event(third)
        while event[0] != "left":  # those who came
            event = next_event(third)
        assert event == ("left", "ada")
