"""What the servers are told when Django says that a user has changed."""

import pytest
from django.contrib.auth import login
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import transaction
from django.test import RequestFactory

from realtime_wall import api
from realtime_wall.brokers.commands import DisconnectUser, RecheckPermissions
from realtime_wall.errors import NoServer
from tests.wall.databases import file_database


@pytest.fixture(scope="module", autouse=True)
def tables(tmp_path_factory):
    with file_database(tmp_path_factory.mktemp("database") / "users.sqlite3"):
        call_command("migrate", verbosity=0)
        yield


@pytest.fixture
def told(monkeypatch):
    commands = []
    monkeypatch.setattr(api, "perform", commands.append)
    return commands


@pytest.fixture
def user(told):
    name = f"user {User.objects.count()}"
    User.objects.create_user(name, password="x")
    return User.objects.get(username=name)


@pytest.fixture
def group():
    return Group.objects.create(name=f"group {Group.objects.count()}")


@pytest.fixture
def permission():
    return Permission.objects.get(codename="view_user")


def test_a_new_user_is_nothing_to_tell(user, told):
    assert told == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "new"}])
def test_a_changed_account_cuts_its_user(user, told, change):
    if "password" in change:
        user.set_password(change["password"])
    else:
        user.is_active = False
    user.save()

    assert told == [DisconnectUser(user_id=str(user.pk))]


def test_a_deleted_user_is_cut(user, told):
    cut = DisconnectUser(user_id=str(user.pk))
    user.delete()

    assert told[-1] == cut


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_a_power_that_is_given_or_taken_is_told_once(user, told, power):
    for value in (True, False):
        setattr(user, power, value)
        user.save()
        user.save()
        assert told == [RecheckPermissions(user_id=str(user.pk))]
        told.clear()


def test_other_saves_are_nothing_to_tell(user, told):
    user.email = "ada@ada.example"
    user.save()
    User.objects.only("username").get(pk=user.pk).save(update_fields=["username"])

    assert told == []


@pytest.mark.parametrize(
    "change",
    [
        lambda user, group, permission: user.groups.add(group),
        lambda user, group, permission: group.user_set.add(user),
        lambda user, group, permission: user.user_permissions.add(permission),
        lambda user, group, permission: permission.user_set.add(user),
        lambda user, group, permission: user.groups.clear(),
        lambda user, group, permission: user.user_permissions.clear(),
    ],
)
def test_a_permission_of_one_user_is_asked_about_for_that_user(user, group, permission, told, change):
    change(user, group, permission)

    assert told == [RecheckPermissions(user_id=str(user.pk))]


@pytest.mark.parametrize(
    "change",
    [
        lambda group, permission: group.permissions.add(permission),
        lambda group, permission: permission.group_set.add(group),
        lambda group, permission: group.permissions.clear(),
        lambda group, permission: group.user_set.clear(),
        lambda group, permission: group.user_set.add(
            *(User.objects.create_user(f"{group} {name}") for name in "ab")
        ),
        lambda group, permission: group.delete(),
    ],
)
def test_a_permission_of_several_users_is_asked_about_for_everybody(group, permission, told, change):
    change(group, permission)

    assert told == [RecheckPermissions()]


def test_what_is_undone_was_never_told(user, told):
    with transaction.atomic():
        user.is_staff = True
        user.save()
        transaction.set_rollback(True)

    assert told == []


def test_without_a_server_there_is_nobody_to_tell(user, monkeypatch):
    def nobody(command):
        raise NoServer("nowhere")

    monkeypatch.setattr(api, "perform", nobody)

    user.is_active = False
    user.save()


def test_a_login_as_somebody_else_ends_the_session_before(user, told):
    session = SessionStore()
    session.save()
    request = RequestFactory().get("/")
    request.session, request.COOKIES = session, {"sessionid": session.session_key}
    before = session.session_key
    other = User.objects.create_user("somebody else", password="x")
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    session.save()
    request.COOKIES["sessionid"] = session.session_key
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    login(request, other, "django.contrib.auth.backends.ModelBackend")

    cut = [one for one in told if isinstance(one, DisconnectUser)]
    assert [(one.session_key, one.spares_anonymous) for one in cut] == [
        (before, True),
        (request.COOKIES["sessionid"], True),
    ]
