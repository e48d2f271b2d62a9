from importlib import import_module

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from realtime_wall.sockets import visitor
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


def test_each_session_is_its_users_or_nobodys(tables):
    adas, strangers = a_session("1"), a_session()

    assert visitor.users_of([adas, strangers]) == {adas: "1", strangers: None}


def test_a_session_that_has_ended_is_left_out(tables):
    expired, deleted = a_session("1", age=-5), a_session("1")
    Session.objects.filter(pk=deleted).delete()

    assert visitor.users_of([expired, deleted]) == {}


def test_many_sessions_cost_few_queries(tables):
    keys = [a_session(str(number)) for number in range(20)]
    unknown = [f"unknown{number}" for number in range(visitor.CHUNK * 2)]

    with CaptureQueriesContext(connection) as queries:
        users = visitor.users_of([*keys, *unknown])

    assert users == {key: str(number) for number, key in enumerate(keys)}
    assert len(queries) == 3


@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies")
def test_a_session_in_its_cookie_needs_no_database():
    session = import_module("django.contrib.sessions.backends.signed_cookies").SessionStore()
    session[SESSION_KEY] = "7"
    session.save()

    assert visitor.users_of([session.session_key]) == {session.session_key: "7"}


def test_a_request_without_a_session_has_no_key():
    assert visitor.session_key_of(a_request()) is None
