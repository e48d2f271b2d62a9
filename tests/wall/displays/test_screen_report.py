"""What screens say of themselves: what is taken of it, what is refused, and what moderators read."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import timezone

from realtime_wall.wall.displays import screen_list, screen_report
from realtime_wall.wall.models import Display, Screen, Wall
from tests.wall.posts import make_post, store

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]
SCREENS = "/wall/screens/"


@pytest.fixture(autouse=True)
def wall(database):
    with override_settings(ROOT_URLCONF=__name__):
        yield Wall.called()


@pytest.fixture
def ada(wall):
    wall.moderators.add(User.objects.create_user("ada"))
    client = Client()
    client.force_login(User.objects.get())
    return client


def now(seconds=0.0):
    return (timezone.now().timestamp() + seconds) * 1000


def display(number=1, **changed):
    usual = {"page": "0a1b2c3d4e5f6789", "number": number, "key": "x:1"}
    return usual | {"from": now(-9), "to": now(-1), "visible": True} | changed


def report(status=200, *, content_type="application/json", **changed):
    said = {
        "screen": "Stage",
        "now": now(),
        "layout": "stream",
        "post": "x:1",
        "visible": True,
        "displays": [],
    }
    answer = Client().post(SCREENS, json.dumps(said | changed), content_type=content_type)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_display_is_stored_once_however_often_it_is_reported():
    assert report(displays=[display(1), display(2, visible=False)]) == {"taken": 2}
    report(displays=[display(2), display(3)])

    assert sorted(Display.objects.values_list("number", "is_visible")) == [(1, True), (2, False), (3, True)]
    first = Display.objects.get(number=1)
    assert (first.screen, first.key) == ("Stage", "x:1")
    assert abs((first.until - first.since).total_seconds() - 8) < 0.5


def test_the_desk_learns_how_each_screen_is(ada, wall):
    key = store(make_post(author_name="Mara", text="The tide is in"))
    report(post=key, layout="grid")
    report(screen="Foyer", visible=False, now=now(90))
    Screen.objects.create(wall=wall, name="Bar", seen=timezone.now() - 2 * screen_list.AWAY)

    found = ada.get("/wall/desk/screens/").json()["screens"]

    assert [(one["name"], one["state"]) for one in found] == [
        ("Bar", "away"),
        ("Foyer", "hidden"),
        ("Stage", "live"),
    ]
    assert (found[2]["post"], found[2]["layout"]) == ("Mara: The tide is in", "grid")
    assert 89 < found[1]["ahead"] < 91 and abs(found[2]["ahead"]) < 1


def test_what_was_shown_leaves_as_csv_and_nothing_in_it_is_a_formula(ada):
    key = store(make_post(author_name="=cmd|' /C calc'!A0", text="@SUM(1+1)\nand more"))
    report(displays=[display(1, key=key), display(2, key="x:gone", visible=False)])

    answer = ada.get("/wall/desk/displays.csv")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert answer["Content-Type"].startswith("text/csv")
    assert [(row["screen"], row["post"], row["visible"]) for row in rows] == [
        ("Stage", key, "yes"),
        ("Stage", "x:gone", "no"),
    ]
    assert (rows[0]["author"], rows[0]["text"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1+1)\nand more")
    assert rows[0]["seconds"] == "8.0"


@pytest.mark.threat("S43")
@pytest.mark.parametrize("address", ["/wall/desk/screens/", "/wall/desk/displays.csv"])
def test_nobody_but_moderators_reads_it(address):
    assert Client().get(address).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"screen": " "},
        {"screen": "x" * 51},
        {"screen": "a\x00b"},
        {"now": "soon"},
        {"now": True},
        {"now": 1e300},
        {"layout": 7},
        {"post": "x" * 101},
        {"displays": {}},
        {"displays": [7]},
        {"displays": [{}]},
        {"displays": [display(page="../../")]},
        {"displays": [display(number=-1)]},
        {"displays": [display(number=2**31)]},
        {"displays": [display(key=None)]},
        {"displays": [display(to=None)]},
        {"displays": [display(number) for number in range(screen_report.DISPLAYS + 1)]},
    ],
    ids=lambda changed: str(changed)[:40],
)
def test_what_makes_no_sense_is_refused(changed):
    assert report(400, **changed)["error"]
    assert not Screen.objects.exists()


def test_no_other_site_can_report_without_being_asked_about():
    report(415, content_type="text/plain")


def test_there_are_no_more_screens_than_a_wall_may_have(wall):
    for number in range(screen_report.MOST):
        Screen.objects.create(wall=wall, name=str(number), seen=timezone.now())

    report(400, screen="one too many")
    report(screen="7")


def test_a_display_of_long_ago_or_of_a_clock_that_was_set_back_does_no_harm():
    long_ago = (timezone.now() - 2 * screen_report.OLDEST).timestamp() * 1000
    earlier = now(-60)
    report(displays=[display(1, **{"from": long_ago}), display(2, **{"from": now(), "to": earlier})])

    (stored,) = Display.objects.all()
    assert stored.number == 2 and stored.since == stored.until
    assert stored.until < timezone.now() - timedelta(seconds=50)
