"""Programs at the desk: with a token, within its rights and its wall, and always answered in JSON."""

import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall import api
from realtime_wall.brokers.results import Receipt
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Ban, Decision, Tweet, Wall
from realtime_wall.wall.programs import api_views, program_token
from realtime_wall.wall.programs.program_tables import ApiToken
from tests.wall.fakes import post

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]


@pytest.fixture
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    monkeypatch.setattr(api, "retract", lambda *which: publisher.retract(*which) or Receipt(sockets=3))
    cache.clear()
    Wall.called()
    Wall.objects.update(mode="approved")
    DatabaseStore("main").add([post(1), post(2, username="ben"), post(3)])
    with override_settings(ROOT_URLCONF=__name__):
        yield Wall.called()
    cache.clear()


def made(*options, name="robot"):
    said = io.StringIO()
    call_command("api_token", "make", name, *options, stdout=said, stderr=io.StringIO())
    return said.getvalue().strip()


def asked(token, where="wall/api/desk/posts/", query=None):
    return Client().get(f"/{where}", query or {}, headers={"Authorization": f"Bearer {token}"})


def act(token, status=200, slug="", **what):
    answer = Client(enforce_csrf_checks=True).post(
        f"/wall/{slug}api/desk/act/",
        json.dumps(what),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def choose(*numbers, seen="waiting"):
    return [{"key": f"list:{number}", "seen": seen} for number in numbers]


def test_a_program_lists_what_waits_and_shows_and_hides_it(wall, publisher):
    token = made("--wall", "main")
    assert [item["key"] for item in asked(token).json()["items"]] == ["list:1", "list:2", "list:3"]

    act(token, action="approve", posts=choose(1, 2))
    act(token, action="hide", posts=choose(2, seen="shown"))

    assert Tweet.objects.get(post_id="1").state == "shown"
    assert Decision.objects.first().by == "robot (API)"
    assert [event for channel, _, event, _ in publisher.published if channel == "tweets"] == [
        "tweet",
        "tweet",
        "tweet_removed",
    ]


def test_of_a_token_only_the_hash_is_kept(wall):
    token = made()

    row = ApiToken.objects.get()
    assert row.digest == program_token.digest_of(token) and token not in str(vars(row))


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer x", "Bearer rwt_" + "x" * 43, "Bearer rwt_" + "\xe9" * 5000, "Basic rwt_x"],
)
def test_whoever_has_no_token_is_told_so_and_nothing_else(wall, given):
    answer = Client().get("/wall/api/desk/posts/", headers={"Authorization": given})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert list(answer.json()) == ["error"]


def test_a_moderators_cookie_is_no_token(wall):
    wall.moderators.add(User.objects.create_user("ada"))
    ada = Client()
    ada.force_login(User.objects.get())

    assert ada.get("/wall/api/desk/posts/").status_code == 401


def test_a_token_is_of_its_wall(wall):
    upstairs = Wall.called("upstairs")
    DatabaseStore("upstairs").add([post(7)])
    token = made("--wall", "upstairs")

    assert asked(token).status_code == 403 and asked(token, "wall/nowhere/api/desk/posts/").status_code == 403
    act(token, 403, action="approve", posts=choose(1))
    assert act(token, slug="upstairs/", action="hide", posts=choose(7, seen="shown"))["decided"]
    assert act(made(), slug="upstairs/", action="approve", posts=choose(7, seen="hidden"))["decided"]
    assert upstairs.decisions.count() == 2


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (["--read-only"], ""),
        ([], "approve undo"),
        (["--ban"], "approve undo ban"),
        (["--pin"], "approve undo pin"),
    ],
)
def test_a_token_has_its_rights(wall, options, allowed):
    token = made(*options)
    for action, what in (
        ("approve", {"posts": choose(1)}),
        ("undo", {"act": "none"}),
        ("ban", {"key": "list:2"}),
        ("pin", {"key": "list:1"}),
    ):
        act(token, 200 if action in allowed.split() else 403, action=action, **what)
    for action in ("mode", "phones", "explode", None, []):
        act(token, 403, action=action, mode="at_once", open=False)


def test_a_ban_is_not_lifted_by_undoing_it(wall):
    banned = act(made("--ban"), action="ban", key="list:1")
    act(made(), 403, action="undo", act=banned["act"])

    assert Ban.objects.exists()
    act(made("--ban"), action="undo", act=banned["act"])
    assert not Ban.objects.exists()


def test_a_program_of_one_wall_bans_on_that_wall(wall):
    act(made("--ban", "--wall", "main"), 403, action="ban", key="list:1", everywhere=True)
    act(made("--ban"), action="ban", key="list:1", everywhere=True)


def test_what_is_revoked_holds_no_longer(wall):
    token = made()
    said = io.StringIO()
    call_command("api_token", "list", stdout=said)
    assert "robot  every wall  never seen" in said.getvalue()
    assert asked(token).status_code == 200 and ApiToken.objects.get().seen

    call_command("api_token", "revoke", str(ApiToken.objects.get().pk))
    assert asked(token).status_code == 401
    with pytest.raises(CommandError, match="no token"):
        call_command("api_token", "revoke", "99")


def test_who_asks_too_often_waits(wall, monkeypatch):
    monkeypatch.setattr(program_token, "MOST", 2)
    token = made()
    answers = [asked(token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"] == "60" and answers[2].json()["error"]
    assert asked(made()).status_code == 200


@pytest.mark.parametrize("body", ["", "[1]", "{", "[" * 100_000, b"\xff\xfe"])
def test_whatever_is_wrong_is_said_in_json(wall, body):
    client = Client(headers={"Authorization": f"Bearer {made()}"})
    answer = client.post("/wall/api/desk/act/", body, content_type="application/json")
    assert answer.status_code in (400, 403) and answer.json()["error"]
    wrong = client.get("/wall/api/desk/act/")
    assert (wrong.status_code, wrong["Allow"]) == (405, "POST") and wrong.json()["error"]
    assert client.get("/wall/api/desk/posts/", {"state": "all"}).status_code == 400


def test_without_its_database_it_says_so(wall, monkeypatch):
    def fail(request):
        raise OperationalError("database is locked")

    monkeypatch.setattr(api_views, "program_of", fail)
    answer = asked("rwt_x")
    assert answer.status_code == 503 and answer.json()["error"] == "the database is unavailable"
