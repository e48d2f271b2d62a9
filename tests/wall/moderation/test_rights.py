"""Who may moderate which wall, and hear what its moderators hear."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.test import RequestFactory

from realtime_wall.wall.models import Wall
from realtime_wall.wall.moderation import rights
from realtime_wall.wall.moderation.desk_channel import may_listen
from realtime_wall.wall.moderation.rights import may_moderate, moderated_walls


@pytest.fixture
def walls(database):
    return Wall.called(), Wall.called("upstairs")


def listens(user, channel="wall-desk.main"):
    request = RequestFactory().get("/")
    request.user = user
    return may_listen(request, channel)


def test_a_moderator_is_one_of_his_wall_only(walls):
    main, upstairs = walls
    ada = User.objects.create_user("ada")
    main.moderators.add(ada)

    assert may_moderate(ada, main) and not may_moderate(ada, upstairs)
    assert listens(ada) and not listens(ada, "wall-desk.upstairs") and not listens(ada, "wall-desk.nowhere")
    assert list(moderated_walls(ada)) == [main]


def test_a_group_moderates(walls):
    main, upstairs = walls
    ada, crew = User.objects.create_user("ada"), Group.objects.create(name="crew")
    upstairs.moderator_groups.add(crew)
    ada.groups.add(crew)

    assert may_moderate(ada, upstairs) and not may_moderate(ada, main)


def test_the_permission_is_for_every_wall(walls):
    ada = User.objects.create_user("ada")
    ada.user_permissions.add(Permission.objects.get(codename="moderate_walls"))

    assert all(may_moderate(ada, wall) for wall in walls)


def test_nobody_else_moderates(walls):
    main, _ = walls
    gone = User.objects.create_user("gone", is_active=False)
    main.moderators.add(gone)

    for user in (None, AnonymousUser(), gone, User.objects.create_user("staff", is_staff=True)):
        assert not may_moderate(user, main) and not listens(user)


def test_who_moderates_no_longer_is_cut_and_has_to_ask_again(walls, monkeypatch):
    main, upstairs = walls
    ada, ben = User.objects.create_user("ada"), User.objects.create_user("ben")
    crew = Group.objects.create(name="crew")
    ben.groups.add(crew)
    main.moderators.add(ada)
    upstairs.moderator_groups.add(crew)
    cut = []
    monkeypatch.setattr(rights.cluster, "disconnect_user", lambda user, *_: cut.append(user.username))

    main.moderators.remove(ada)
    upstairs.moderator_groups.clear()

    assert cut == ["ada", "ben"]
