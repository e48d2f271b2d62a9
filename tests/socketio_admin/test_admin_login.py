"""Who is let in by the admin page's form, by a cookie, and by what it comes back with."""

from types import SimpleNamespace

import bcrypt
import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core import signing
from django.test import override_settings

from realtime_wall.socketio_admin import admin_login
from realtime_wall.socketio_admin.admin_login import CHANGE, VIEW, admit
from realtime_wall.socketio_admin.admin_options import AdminOptions, check_options
from realtime_wall.socketio_admin.password_attempts import PasswordAttempts

HASHED = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
BASIC = AdminOptions(username="admin", password=HASHED)
FORM = {"username": "admin", "password": "secret"}
NOBODY = SimpleNamespace(user=None, META={"REMOTE_ADDR": "192.0.2.1"})


def member(*permissions, **fields):
    user = User(pk=7, username="ada", is_staff=True, is_active=True, password="x", **fields)
    user._perm_cache = set(permissions)
    return user


@pytest.fixture(autouse=True)
def attempts(monkeypatch):
    monkeypatch.setattr(admin_login, "attempts", found := PasswordAttempts())
    return found


@pytest.fixture
def accounts(monkeypatch):
    """Users by name and password; a name is given a password of "secret"."""
    known = {}
    monkeypatch.setattr(
        admin_login,
        "authenticate",
        lambda request, username, password: known.get(username) if password == "secret" else None,
    )
    found = SimpleNamespace(filter=lambda pk: SimpleNamespace(first=lambda: known.get("ada")))
    monkeypatch.setattr(admin_login, "get_user_model", lambda: SimpleNamespace(_default_manager=found))
    return known


# Made when they are needed: what differs from process to process is no test's name.
HASHES = {
    "bcrypt": lambda: HASHED,
    "older bcrypt": lambda: HASHED.replace("$2b$", "$2a$"),
    "Django": lambda: make_password("secret"),
}


@pytest.mark.parametrize("kind", HASHES)
def test_a_name_and_a_password_of_the_settings(accounts, kind):
    hashed = HASHES[kind]()
    options = AdminOptions(username="admin", password=hashed)

    viewer = admit(options, NOBODY, FORM)
    assert viewer.may_change
    assert admit(options, NOBODY, {"sessionId": viewer.session_id}).may_change
    for wrong in (
        {"password": "Secret"},
        {"username": "Admin"},
        {"password": "x" * 80},
        {"password": "x" * 2000},
    ):
        assert admit(options, NOBODY, FORM | wrong) is None
    assert not admit(AdminOptions(username="admin", password=hashed, readonly=True), NOBODY, FORM).may_change


@pytest.mark.parametrize(
    "auth", [None, [], "x", {}, {"username": "", "password": ""}, {"username": 1, "password": []}]
)
def test_by_default_nobody_is_let_in(accounts, auth):
    assert admit(AdminOptions(), NOBODY, auth) is None
    assert admit(AdminOptions(), NOBODY, FORM) is None


def test_the_staff_may_look_or_do_what_their_permissions_say(accounts):
    for permissions, expected in ((), None), ((VIEW,), False), ((VIEW, CHANGE), True), ((CHANGE,), None):
        accounts["ada"] = user = member(*permissions)
        by_form = admit(AdminOptions(), NOBODY, {"username": "ada", "password": "secret"})
        by_cookie = admit(
            AdminOptions(), SimpleNamespace(user=user, META={}), {"username": "", "password": ""}
        )
        for viewer in (by_form, by_cookie):
            assert (None if viewer is None else viewer.may_change) == expected
        if by_form is not None:
            assert by_form.session_id
            assert not by_cookie.session_id  # it has its cookie
    accounts["ada"].is_staff = False
    assert admit(AdminOptions(), SimpleNamespace(user=accounts["ada"], META={}), {}) is None


def test_whoever_comes_back_is_looked_at_again(accounts, monkeypatch):
    accounts["ada"] = member(VIEW)
    token = admit(AdminOptions(), NOBODY, {"username": "ada", "password": "secret"}).session_id
    assert admit(AdminOptions(), NOBODY, {"sessionId": token})

    accounts["ada"].is_active = False
    assert admit(AdminOptions(), NOBODY, {"sessionId": token}) is None
    accounts["ada"] = member(VIEW)
    accounts["ada"].password = "another"
    assert admit(AdminOptions(), NOBODY, {"sessionId": token}) is None
    basic = admit(BASIC, NOBODY, FORM).session_id
    for options in (AdminOptions(), AdminOptions(username="admin", password=HASHED[:-1] + "x")):
        assert admit(options, NOBODY, {"sessionId": basic}) is None
    for made_up in ("x", signing.dumps(["user", "7:x"]), basic[:-1], "x" * 5000):
        assert admit(BASIC, NOBODY, {"sessionId": made_up}) is None
    monkeypatch.setattr(admin_login, "SESSION_AGE", -1)
    assert admit(BASIC, NOBODY, {"sessionId": basic}) is None


def test_no_more_than_five_passwords_a_minute_are_looked_at(accounts, monkeypatch):
    looked_at = []
    monkeypatch.setattr(admin_login, "_fits", lambda password, hashed: looked_at.append(password))

    for number in range(9):
        assert admit(BASIC, NOBODY, FORM | {"password": f"guess {number}"}) is None

    assert looked_at == [f"guess {number}" for number in range(5)]
    other = SimpleNamespace(user=None, META={"REMOTE_ADDR": "192.0.2.2"})
    assert admit(BASIC, other, FORM) is None
    assert len(looked_at) == 6

    for number in range(6):  # all through one proxy
        meta = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": f"203.0.113.{number}"}
        assert admit(BASIC, SimpleNamespace(user=None, META=meta), FORM) is None
    assert len(looked_at) == 12


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, None),
        ({"USERNAME": "admin", "PASSWORD": HASHED}, None),
        ({"USERNAME": "admin"}, "without the other"),
        ({"USERNAME": "admin", "PASSWORD": "secret"}, "no hash"),
        ({"USER": "admin"}, "no option"),
        ({"NAMESPACE": "/ops"}, "'/ops' among NAMESPACES"),
    ],
)
def test_settings_are_checked(given, problem):
    with override_settings(REALTIME_WALL={"NAMESPACES": ["/", "/admin"], "SOCKETIO_ADMIN": given}):
        found = [str(one.msg) for one in check_options()]

    assert bool(found) is (problem is not None)
    assert problem is None or problem in found[0]
