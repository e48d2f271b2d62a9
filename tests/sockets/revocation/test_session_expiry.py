"""Sessions that end while their sockets are open, without waiting for any of it."""

from time import monotonic, time

import pytest

from realtime_wall.auth import django_sessions
from realtime_wall.auth.django_sessions import DjangoSession
from realtime_wall.sockets.revocation import session_expiry
from realtime_wall.sockets.revocation.session_expiry import EVERYTHING, LOOK, RETRY, Sessions
from tests.fakes import a_request
from tests.live import wait_for


class SlowClockwork:
    def __init__(self):
        self.scheduled = []

    def schedule(self, what, delay):
        self.scheduled.append(delay)


class Store:
    """Sessions by their key, and how often somebody asked."""

    def __init__(self):
        self.sessions = {}
        self.asked = []
        self.is_down = False

    def __call__(self, keys):
        keys = set(keys)
        self.asked.append(keys)
        if self.is_down:
            raise OSError("the database is away")
        return {key: one for key, one in self.sessions.items() if key in keys}


class RequestSession:
    def __init__(self, key, accessed=False):
        self.session_key = key
        self.accessed = accessed


@pytest.fixture
def store(monkeypatch):
    store = Store()
    monkeypatch.setattr(django_sessions, "sessions_of", store)
    return store


@pytest.fixture
def clock(monkeypatch):
    """The wall's clock; the other one is passed in."""
    now = [time()]
    monkeypatch.setattr(session_expiry, "time", lambda: now[0])
    return now


class World:
    def __init__(self):
        self.present = set()
        self.cut = []
        self.sessions = Sessions(SlowClockwork(), lambda: self.present, self.cut.extend)
        self.sessions.start()

    def arrive(self, key, accessed=False):
        request = a_request()
        request.session = RequestSession(key, accessed)
        self.present.add(key)
        self.sessions.arrived(request)

    def look(self, later=0.0):
        """A tick, and what it does."""
        assert self.sessions.tick(monotonic() + later) == LOOK
        wait_for(lambda: not self.sessions._is_looking, "the store's answer")
        return self.cut


@pytest.fixture
def world(store, clock):
    return World()


def test_a_session_that_ends_is_cut_when_its_time_has_come_and_not_before(world, store, clock):
    store.sessions["ada"] = DjangoSession("1", clock[0] + 10)
    world.arrive("ada")

    assert world.look() == []
    del store.sessions["ada"]
    clock[0] += 9
    assert world.look() == []
    clock[0] += 1
    assert world.look() == ["ada"]


def test_while_nothing_ends_nobody_is_asked(world, store, clock):
    store.sessions["ada"] = DjangoSession("1", clock[0] + 1000)
    world.arrive("ada")
    for _ in range(5):
        world.look()
    world.arrive("ada")
    world.look()

    assert store.asked == [{"ada"}]


def test_all_that_is_to_be_asked_is_asked_at_once(world, store, clock):
    for number in range(1000):
        store.sessions[str(number)] = DjangoSession("1", clock[0] + 5)
        world.arrive(str(number))
    world.look()
    store.sessions.clear()
    clock[0] += 5

    assert len(world.look()) == 1000
    assert len(store.asked) == 2


def test_a_session_that_was_prolonged_goes_on(world, store, clock):
    store.sessions["ada"] = DjangoSession("1", clock[0] + 10)
    world.arrive("ada")
    world.look()
    store.sessions["ada"] = DjangoSession("1", clock[0] + 100)

    clock[0] += 10
    assert world.look() == []
    del store.sessions["ada"]
    clock[0] += 90
    assert world.look() == ["ada"]


def test_a_session_that_was_deleted_is_found_within_a_minute(world, store, clock):
    store.sessions["ada"] = DjangoSession("1", clock[0] + 1000)
    world.arrive("ada")
    world.look()
    del store.sessions["ada"]

    assert world.look() == []
    assert world.look(later=EVERYTHING + 1) == ["ada"]


def test_nobodys_session_that_got_another_key_cuts_nobody(world, store, clock):
    store.sessions["visitor"] = DjangoSession(None, clock[0] + 1000)
    world.arrive("visitor")
    world.look()
    del store.sessions["visitor"]

    assert world.look(later=EVERYTHING + 1) == []


def test_nobodys_session_that_expires_is_cut_too(world, store, clock):
    store.sessions["visitor"] = DjangoSession(None, clock[0] + 10)
    world.arrive("visitor")
    world.look()
    del store.sessions["visitor"]
    clock[0] += 10

    assert world.look() == ["visitor"]


def test_an_old_cookie_without_a_session_is_a_strangers_and_stays(world, store):
    world.arrive("long ago")

    assert world.look() == []
    assert world.look(later=EVERYTHING + 1) == []


def test_a_session_that_ended_just_after_the_handshake_read_it_is_cut(world, store):
    world.arrive("just now", accessed=True)

    assert world.look() == ["just now"]


def test_a_store_that_is_away_is_asked_again_and_then_nothing_was_missed(world, store, clock, caplog):
    store.sessions["ada"] = DjangoSession("1", clock[0] + 10)
    world.arrive("ada")
    world.look()
    store.is_down = True
    del store.sessions["ada"]
    clock[0] += 10
    world.arrive("bob", accessed=True)

    assert world.look() == []
    assert "could not be asked" in caplog.text
    store.is_down = False
    assert sorted(world.look(later=RETRY + 1)) == ["ada", "bob"]


def test_who_has_left_is_not_asked_about_any_more(world, store, clock):
    store.sessions["ada"] = DjangoSession("1", clock[0] + 10)
    world.arrive("ada")
    world.look()
    world.present.clear()
    world.look(later=EVERYTHING + 1)
    store.asked.clear()
    clock[0] += 20

    world.look()

    assert store.asked == []


def test_whose_a_session_is_is_known_without_asking_again(world, store, clock):
    store.sessions |= {"ada": DjangoSession("1", clock[0] + 10), "bob": DjangoSession("2", None)}
    world.arrive("ada")
    world.look()
    store.asked.clear()

    assert world.sessions.users_of(["ada"]) == {"ada": "1"}
    assert store.asked == []
    assert world.sessions.users_of(["ada", "bob", "nobody"]) == {"ada": "1", "bob": "2"}
    assert store.asked == [{"bob", "nobody"}]
