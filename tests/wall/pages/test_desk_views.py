"""The moderators' page: for whom it is, what it lists, and what can be asked of it."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall import api
from realtime_wall.brokers.results import Answers, Receipt
from realtime_wall.errors import NoSocket
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Ban, Decision, Tweet, Wall
from realtime_wall.wall.moderation import decisions, screens
from tests.wall.fakes import post

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]
DESK = "/wall/desk/"


@pytest.fixture
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    monkeypatch.setattr(api, "retract", lambda *which: publisher.retract(*which) or Receipt(sockets=3))
    monkeypatch.setattr(api, "broadcast_call", nobody)
    Wall.called()
    Wall.objects.update(mode="approved")
    DatabaseStore("main").add([post(1, "<b>first</b>"), post(2, username="ben"), post(3)])
    with override_settings(ROOT_URLCONF=__name__):
        yield Wall.called()


def nobody(*_, **__):
    raise NoSocket("nobody is there")


@pytest.fixture
def ada(wall):
    wall.moderators.add(User.objects.create_user("ada", password="tide"))
    return signed_in("ada")


def signed_in(name, **options):
    client = Client(**options)
    client.force_login(User.objects.get(username=name))
    return client


def listed(client, state, **query):
    return client.get(f"{DESK}posts/", {"state": state, **query}).json()


def keys(client, state):
    return [item["key"] for item in listed(client, state)["items"]]


def act(client, status=200, **asked):
    answer = client.post(f"{DESK}act/", json.dumps(asked), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def choose(*numbers, seen="waiting"):
    return [{"key": f"list:{number}", "seen": seen} for number in numbers]


# -- for whom it is


@pytest.mark.parametrize("page", ["desk", "remote"])
def test_the_pages_of_moderators_lead_to_each_other_before_all_posts(ada, page):
    header = ada.get(f"/wall/{page}/").content.decode().partition("</header>")[0]

    found = re.findall(r'<a href="/wall/(\w+)/"( aria-current="page")?>', header)
    assert [name for name, _ in found] == ["desk", "remote", "archive"]
    assert [name for name, is_current in found if is_current] == [page]


def test_who_has_not_signed_in_is_asked_to_and_comes_back(wall):
    User.objects.create_user("ada", password="tide")
    wall.moderators.add(User.objects.get())
    visitor = Client()

    asked = visitor.get(DESK)
    assert asked.url == "/wall/sign-in/?next=/wall/desk/"
    assert (
        "do not fit together"
        in visitor.post(asked.url, {"username": "ada", "password": "x"}).content.decode()
    )
    signed = visitor.post(asked.url, {"username": "ada", "password": "tide", "next": DESK}, follow=True)

    assert signed.redirect_chain[-1][0] == DESK
    assert "Waiting" in signed.content.decode()


@override_settings(LOGIN_URL="/wall/search/")
def test_a_site_that_has_a_sign_in_of_its_own_keeps_it(wall):
    assert Client().get(DESK).url == "/wall/search/?next=/wall/desk/"


@pytest.mark.threat("S43")
@pytest.mark.parametrize("user", [None, {}, {"is_staff": True}])
def test_everything_is_closed_to_everybody_else(wall, user):
    client = Client()
    if user is not None:
        client.force_login(User.objects.create_user("eve", **user))

    assert client.get(DESK).status_code == (302 if user is None else 403)
    assert client.get(f"{DESK}posts/").status_code == 403
    act(client, 403, action="approve", posts=choose(1))
    assert "first" not in client.get(DESK).content.decode()
    assert set(Tweet.objects.values_list("state", flat=True)) == {"waiting"}


@pytest.mark.threat("S33", "S43")
def test_what_is_decided_needs_djangos_token(ada):
    strict = signed_in("ada", enforce_csrf_checks=True)

    answer = strict.post(f"{DESK}act/", "{}", content_type="application/json")
    assert answer.status_code == 403


# -- what it lists


def test_who_waits_longest_comes_first_and_pages_follow(ada, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.queries.desk.PAGE", 2)

    first = listed(ada, "waiting")
    assert [item["key"] for item in first["items"]] == ["list:1", "list:2"]
    assert first["waiting"] == 3
    rest = listed(ada, "waiting", behind=first["next"])
    assert ([item["key"] for item in rest["items"]], rest["next"]) == (["list:3"], None)


@pytest.mark.parametrize(
    "query", [{"state": "all"}, {"state": "waiting", "behind": "x"}, {"behind": "9" * 30}]
)
def test_a_question_that_makes_no_sense_is_refused(ada, query):
    assert ada.get(f"{DESK}posts/", query).status_code == 400


# -- what is decided


def test_what_is_approved_is_shown_and_what_is_hidden_says_by_whom(ada, publisher):
    act(ada, action="approve", posts=choose(1, 2))
    answer = act(ada, action="hide", posts=choose(1, seen="shown"))

    assert answer["decided"] == [{"key": "list:1", "state": "hidden"}] and answer["pages"] == 3
    assert (keys(ada, "shown"), keys(ada, "waiting")) == (["list:2"], ["list:3"])
    assert listed(ada, "hidden")["items"][0]["by"] == "ada"
    visitors = [(event, data["id"]) for channel, data, event, _ in publisher.published if channel == "tweets"]
    assert visitors == [("tweet", "1"), ("tweet", "2"), ("tweet_removed", "1")]


def test_who_is_late_is_told(ada):
    act(ada, action="approve", posts=choose(1))
    late = act(ada, action="hide", posts=choose(1))

    assert late["decided"] == [] and late["late"] == [{"key": "list:1", "state": "shown"}]


def test_undo_undoes_the_act(ada):
    done = act(ada, action="hide", posts=choose(1, 2, 3))
    assert keys(ada, "waiting") == []
    act(ada, action="undo", act=done["act"])

    assert len(keys(ada, "waiting")) == 3


def test_a_ban_hides_and_is_lifted_and_undone(ada):
    act(ada, action="approve", posts=choose(1, 2, 3))
    banned = act(ada, action="ban", key="list:1", seconds=3600)

    assert {one["key"] for one in banned["decided"]} == {"list:1", "list:3"}
    (ban,) = listed(ada, "banned")["bans"]
    assert (ban["username"], ban["everywhere"], ban["by"]) == ("maraquill", False, "ada") and ban["until"]
    act(ada, action="unban", ban=ban["id"])
    assert len(keys(ada, "shown")) == 3 and not Ban.objects.exists()


def test_only_who_moderates_every_wall_bans_on_every_wall_and_lifts_that(ada):
    act(ada, 403, action="ban", key="list:1", everywhere=True)
    User.objects.create_user("root").user_permissions.add(Permission.objects.get(codename="moderate_walls"))
    banned = act(signed_in("root"), action="ban", key="list:1", everywhere=True)

    act(ada, 403, action="undo", act=banned["act"])
    act(ada, 403, action="unban", ban=Ban.objects.get().pk)
    assert Ban.objects.get().wall is None


def test_the_line_is_released_or_stopped_when_the_mode_is_switched(ada, publisher):
    act(ada, action="mode", mode="delayed", delay=60)
    DatabaseStore("main").add([post(4)])
    act(ada, action="dump")
    assert keys(ada, "hidden") == ["list:4"]
    DatabaseStore("main").add([post(5)])
    act(ada, action="mode", mode="approved")

    assert not Tweet.objects.exclude(show_at=None).exists()
    assert publisher.published[-1][2] == "desk_mode"


def test_a_pinned_post_is_no_longer_pinned_when_it_is_hidden(ada, publisher):
    assert act(ada, action="pin", key="list:1")["key"] == ""  # nobody may see it
    act(ada, action="approve", posts=choose(1))
    assert act(ada, action="pin", key="list:1")["key"] == "list:1"
    assert Client().get("/wall/posts.json").json()["pinned"]["id"] == "1"
    act(ada, action="hide", posts=choose(1, seen="shown"))

    assert publisher.published[-2][1:3] == ({"key": ""}, "tweet_pinned")
    assert Client().get("/wall/posts.json").json()["pinned"] is None


# -- what is changed of the wall itself, and undone


def test_pinning_is_undone(ada, publisher):
    act(ada, action="approve", posts=choose(1, 2))
    act(ada, action="pin", key="list:1")
    second = act(ada, action="pin", key="list:2")
    undone = act(ada, action="undo", act=second["act"])

    assert (undone["key"], undone["late"]) == ("list:1", [])
    assert publisher.published[-1][1:3] == ({"key": "list:1"}, "tweet_pinned")
    assert act(ada, action="undo", act=undone["act"])["key"] == "list:2"


def test_a_post_that_is_hidden_by_now_is_not_pinned_by_undoing(ada):
    act(ada, action="approve", posts=choose(1, 2))
    act(ada, action="pin", key="list:1")
    second = act(ada, action="pin", key="list:2")
    act(ada, action="hide", posts=choose(1, seen="shown"))

    assert act(ada, action="undo", act=second["act"])["key"] == ""


def test_a_mode_is_undone_and_what_waited_for_the_clock_waits_for_it_again(ada, wall, publisher):
    act(ada, action="mode", mode="delayed", delay=60)
    DatabaseStore("main").add([post(4), post(5)])
    stopped = act(ada, action="mode", mode="approved")
    act(ada, action="hide", posts=choose(5))
    undone = act(ada, action="undo", act=stopped["act"])

    assert (undone["mode"], undone["delay"]) == ("delayed", 60)
    assert publisher.published[-1][2] == "desk_mode"
    assert list(Tweet.objects.exclude(show_at=None).values_list("post_id", flat=True)) == ["4"]


def test_a_code_that_was_renewed_by_mistake_holds_again(ada, wall):
    first = act(ada, action="phones", open=True)
    second = act(ada, action="phones", open=True)
    undone = act(ada, action="undo", act=second["act"])

    assert undone["token"] == first["token"] != second["token"]
    assert act(ada, action="undo", act=first["act"])["token"] == ""


def test_what_somebody_else_has_changed_since_is_not_undone(ada, wall):
    first = act(ada, action="mode", mode="delayed", delay=60)
    act(ada, action="mode", mode="at_once")
    late = act(ada, action="undo", act=first["act"])

    assert late["late"] == [{"key": "mode", "state": ""}]
    assert Wall.called().mode == "at_once" and wall.changes.count() == 2


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"action": "explode"},
        {"action": "approve"},
        {"action": "approve", "posts": []},
        {"action": "approve", "posts": [{"key": "list:1"}]},
        {"action": "approve", "posts": [{"key": 5, "seen": "waiting"}]},
        {"action": "approve", "posts": [None]},
        {"action": "undo", "act": None},
        {"action": "ban", "key": "list:99"},
        {"action": "ban", "key": "list:1", "seconds": -1},
        {"action": "unban", "ban": "1"},
        {"action": "mode", "mode": "never"},
        {"action": "mode", "mode": "delayed", "delay": 0},
    ],
)
def test_an_act_that_makes_no_sense_is_refused(ada, asked):
    assert act(ada, 400, **asked)["error"]


@pytest.mark.parametrize("body", ["", "[1]", "{", "[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_refused(ada, body):
    assert ada.post(f"{DESK}act/", body, content_type="application/json").status_code == 400


@pytest.mark.parametrize(("failures", "status"), [(2, 200), (99, 503)])
def test_a_database_that_is_busy_is_asked_again(ada, monkeypatch, failures, status):
    problems, decide = [OperationalError("database is locked")] * failures, decisions.decide

    def decide_at_last(*args):
        if problems:
            raise problems.pop()
        return decide(*args)

    monkeypatch.setattr(decisions, "decide", decide_at_last)
    act(ada, status, action="hide", posts=choose(1))


# -- which screens confirm it


def test_screens_are_named_that_confirm_and_that_do_not(ada, wall, monkeypatch):
    monkeypatch.setattr(screens, "PATIENCE", 0.1)
    answers = iter([{"a": {"screen": "Foyer", "left": 1}, "b": {"screen": "Hall", "left": 0}, "c": "junk"}])
    settled = {"a": {"screen": "Foyer", "left": 0}, "b": {"screen": "Hall", "left": 0}}
    monkeypatch.setattr(api, "broadcast_call", lambda *_, **__: Answers(next(answers, settled)))
    done = act(ada, action="hide", posts=choose(1))
    report = act(ada, action="confirm", act=done["act"])["screens"]
    assert (report["confirmed"], report["missing"]) == (["Foyer", "Hall"], [])

    monkeypatch.setattr(api, "broadcast_call", lambda *_, **__: Answers({"b": {"screen": "Hall", "left": 0}}))
    report = act(ada, action="confirm", act=done["act"])["screens"]

    assert (report["confirmed"], report["missing"]) == (["Hall"], ["Foyer"])
    assert Decision.objects.get().screens.startswith("1 of 2") and wall.screens.count() == 2


def test_strangers_cannot_fill_the_list_of_screens(ada, wall, monkeypatch):
    monkeypatch.setattr(screens, "PATIENCE", 0.01)
    flood = {str(number): {"screen": f"s{number}", "left": 0} for number in range(500)}
    monkeypatch.setattr(api, "broadcast_call", lambda *_, **__: Answers(flood))

    assert len(screens.ask(wall).confirmed) == screens.MOST
    assert wall.screens.count() == screens.MOST
