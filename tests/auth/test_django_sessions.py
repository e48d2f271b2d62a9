import time
from importlib import import_module

import gevent
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, login
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from realtime_wall.auth import django_sessions
from realtime_wall.wire.time_slice import SOON, TimeSlice
from tests.fakes import a_request
from tests.wall.databases import file_database


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    with file_database(tmp_path_factory.mktemp("database") / "sessions.sqlite3") as path:
        call_command("migrate", verbosity=0)
        yield path


def a_session(user_id=None, age=None):
    session = SessionStore()
    if user_id is not None:
        session[SESSION_KEY] = user_id
    session["what"] = "ever"
    if age is not None:
        session.set_expiry(age)
    session.save()
    return session.session_key


def users(keys):
    return {key: session.user_id for key, session in django_sessions.sessions_of(keys).items()}


def test_each_session_is_its_users_or_nobodys_and_ends_when_the_store_says(tables):
    adas, strangers = a_session("1", age=100), a_session()

    assert users([adas, strangers]) == {adas: "1", strangers: None}
    assert django_sessions.sessions_of([adas])[adas].ends == pytest.approx(time.time() + 100, abs=10)


def test_a_session_that_has_ended_is_left_out(tables):
    expired, deleted = a_session("1", age=-5), a_session("1")
    Session.objects.filter(pk=deleted).delete()

    assert django_sessions.sessions_of([expired, deleted]) == {}


def test_many_sessions_cost_few_queries(tables):
    keys = [a_session(str(number)) for number in range(20)]
    unknown = [f"unknown{number}" for number in range(django_sessions.CHUNK * 2)]

    with CaptureQueriesContext(connection) as queries:
        found = users([*keys, *unknown])

    assert found == {key: str(number) for number, key in enumerate(keys)}
    assert len(queries) == 3


@pytest.mark.parametrize("backend", ["django.contrib.auth.backends.ModelBackend", f"{__name__}.OfNobody"])
@pytest.mark.parametrize("engine", ["db", "signed_cookies"])
def test_while_many_are_asked_about_others_have_their_turns(tables, monkeypatch, engine, backend):
    monkeypatch.setattr(django_sessions, "TimeSlice", lambda: TimeSlice(-1.0))
    with override_settings(
        SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}", AUTHENTICATION_BACKENDS=[backend]
    ):
        keys = [signed_in(User(pk=1_000_000 + number, password="secret")) for number in range(5)]

        assert turns_of_others(lambda: django_sessions.sessions_of(keys)) >= 5
        assert turns_of_others(lambda: django_sessions.accounts_of(keys)) >= 11


def turns_of_others(act):
    """How often the event loop goes round: a greenlet that slept as shortly might miss one."""
    turns = 0

    def count():
        nonlocal turns
        turns += 1

    rounds = gevent.get_hub().loop.prepare()
    gevent.sleep(SOON)  # else we may be in a round of which the rest would not be counted
    rounds.start(count)
    try:
        act()
    finally:
        rounds.stop()
        rounds.close()
    return turns


def signed_in(user, **changes):
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session.update(changes)
    session.save()
    return session.session_key


class OfNobody(ModelBackend):
    def get_user(self, user_id):
        return None if user_id == 0 else super().get_user(user_id)


@pytest.mark.parametrize("backend", ["django.contrib.auth.backends.ModelBackend", f"{__name__}.OfNobody"])
def test_a_session_comes_with_its_user_as_he_is_now(tables, backend):
    with override_settings(AUTHENTICATION_BACKENDS=[backend]):
        name = backend.rpartition(".")[2]
        ada, bob, eve = (User.objects.create_user(f"{who} of {name}") for who in ("ada", "bob", "eve"))
        keys = {
            "hers": signed_in(ada),
            "older password": signed_in(ada, **{HASH_SESSION_KEY: "of another password"}),
            "inactive": signed_in(bob),
            "deleted": signed_in(eve),
            "no key": signed_in(ada, **{SESSION_KEY: "no number"}),
            "other backend": signed_in(ada, **{BACKEND_SESSION_KEY: "gone.Backend"}),
            "nobody's": a_session(),
        }
        User.objects.filter(pk=bob.pk).update(is_active=False)
        eve.delete()
        with CaptureQueriesContext(connection) as queries:
            found = django_sessions.accounts_of([*keys.values(), "unknown"])

    assert {name for name, key in keys.items() if found[key].is_good} == {"hers", "nobody's"}
    assert found[keys["hers"]].user == ada
    assert found[keys["hers"]].session.password == ada.get_session_auth_hash()[:16]
    assert not found[keys["older password"]].user.is_authenticated
    assert "unknown" not in found
    assert len(queries) == (2 if name == "ModelBackend" else 4)


@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies")
def test_a_session_in_its_cookie_needs_no_database():
    session = import_module("django.contrib.sessions.backends.signed_cookies").SessionStore()
    session[SESSION_KEY] = "7"
    session.save()

    found = django_sessions.sessions_of([session.session_key, "forged"])

    assert found == {session.session_key: django_sessions.DjangoSession("7", None)}


def test_a_request_without_a_session_has_no_key():
    assert django_sessions.session_key_of(a_request()) is None
    assert not django_sessions.has_read_session(a_request(), "key")


def test_a_request_has_read_its_session_when_somebody_looked_and_it_was_there(tables):
    def request_of(key):
        request = a_request()
        request.session = SessionStore(key)
        return request

    there, gone = request_of(a_session("1")), request_of("gone")
    key = there.session.session_key
    assert not django_sessions.has_read_session(there, key)

    for request in (there, gone):
        request.session.get("what")

    assert django_sessions.has_read_session(there, key)
    assert not django_sessions.has_read_session(gone, "gone")


def test_a_renewed_user_is_read_once_for_all_requests_and_only_when_somebody_looks(tables):
    ada = User.objects.create_user("ada", password="x")
    requests = []
    for _ in range(3):
        request = a_request()
        request.session, request.user = SessionStore(), None
        login(request, ada, "django.contrib.auth.backends.ModelBackend")
        requests.append(request)
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    assert not requests[0].user.is_staff

    with CaptureQueriesContext(connection) as queries:
        django_sessions.renew_user(requests)
        assert len(queries) == 0
        assert all(request.user.is_staff for request in requests)

    assert len(queries) == 1


# What a request knows is not older than its last use


def request_of(user):
    request = a_request()
    request.session, request.user = SessionStore(), None
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    request.session.save()
    again = a_request()
    again.session = SessionStore(request.session.session_key)
    AuthenticationMiddleware(lambda request: None).process_request(again)
    return again


def test_after_it_forgot_a_request_reads_its_user_and_its_session_anew(tables):
    ada = User.objects.create_user("ada2", password="x")
    request = request_of(ada)
    assert not request.user.is_staff and "page" not in request.session
    page = SessionStore(request.session.session_key)
    page["page"] = 1
    page.save()
    User.objects.filter(pk=ada.pk).update(is_staff=True)

    with CaptureQueriesContext(connection) as queries:
        django_sessions.forget(request)
        assert len(queries) == 0

    assert request.user.is_staff
    assert request.session["page"] == 1


def test_what_is_saved_after_it_forgot_undoes_nothing(tables):
    request = request_of(User.objects.create_user("ada3", password="x"))
    assert request.user.is_authenticated
    page = SessionStore(request.session.session_key)
    page["page"] = 1
    page.save()

    django_sessions.forget(request)
    request.session["receiver"] = 2
    request.session.save()

    assert dict(SessionStore(page.session_key).items()).keys() >= {"page", "receiver", "_auth_user_id"}


def test_a_user_whom_another_middleware_found_is_read_again(tables):
    ada = User.objects.create_user("ada4", password="x")
    request = a_request()
    request.user = ada
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    django_sessions.forget(request)
    assert request.user.is_staff

    User.objects.filter(pk=ada.pk).update(is_active=False)
    django_sessions.forget(request)
    assert not request.user.is_authenticated


def test_a_user_renewed_together_with_others_is_each_request_s_own_afterwards(tables):
    first, second = (request_of(User.objects.create_user(name, password="x")) for name in ("ada5", "ada6"))
    django_sessions.renew_user([first, second])

    django_sessions.forget_user(second)

    assert second.user.username == "ada6"


def test_a_session_that_has_ended_keeps_its_key_for_whoever_ends_its_sockets(tables):
    request = request_of(User.objects.create_user("ada7", password="x"))
    key = request.session.session_key
    request.COOKIES = {"sessionid": key}
    django_sessions.forget(request)
    SessionStore(key).delete()
    assert dict(request.session.items()) == {}

    django_sessions.forget(request)

    assert django_sessions.session_key_of(request) == key


def test_a_request_without_session_or_user_forgets_nothing():
    django_sessions.forget(a_request())
