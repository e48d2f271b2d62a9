"""The report of an event: what is in it, for whom, and as which page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import RejectedPost, Tweet, Wall
from realtime_wall.wall.post import Removal
from realtime_wall.wall.queries.aggregates import count
from realtime_wall.wall.queries.report import BadSpan, span_of, top_people, top_posts
from tests.wall.html_tree import tree
from tests.wall.posts import hostile_posts, make_post, store
from tests.wall.queries.test_aggregates import retweet

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]


@pytest.fixture(autouse=True)
def site(database):
    cache.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
    cache.clear()


@pytest.fixture
def wall():
    return Wall.called()


@pytest.fixture
def client():
    return Client()


def report(client, query="", path="/wall/report/", status=200):
    answer = client.get(path + query)
    assert answer.status_code == status
    return tree(answer.content.decode())


def tiles(page):
    lists = page.find("dl", class_="wall-figures")
    return {
        next(tile.find("dt")).text: next(tile.find("dd")).text for one in lists for tile in one.find("div")
    }


# -- times


def test_a_span_is_read_on_the_sites_clock():
    with override_settings(TIME_ZONE="Europe/Berlin"):
        span = span_of("2026-11-21T09:30", "2026-11-21", "", NOON)

    assert span.since == datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    assert span.until == datetime(2026, 11, 21, 23, 0, tzinfo=UTC)


def test_a_span_may_be_the_last_hour_and_is_all_without_a_question():
    assert span_of("", "", "hour", NOON).since == NOON - timedelta(hours=1)
    assert span_of("", "", "", NOON).since is span_of("", "", "century", NOON).since is None


@pytest.mark.parametrize(
    "since, until",
    [
        ("yesterday", ""),
        ("", "2026-02-30"),
        ("2026-11-21T25:00", ""),
        ("0001-01-01", ""),
        ("9999-12-31", ""),
        ("9" * 5000, ""),
        ("2026-11-22", "2026-11-21"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(since, until):
    with pytest.raises(BadSpan):
        span_of(since, until, "", NOON)


# -- who and what


def test_the_original_is_shown_where_it_is_known_and_its_retweets_text_where_it_is_not(wall):
    store(make_post(id="o7", text="the original, edited since"))
    for original in ("o7", "o8"):
        store(retweet(original, text="as it was passed on"))

    shown = {top.post["text"]: top.post["retweeted_by"] for top in top_posts(wall, count(wall))}

    assert shown == {"the original, edited since": "", "as it was passed on": ""}


def test_what_was_hidden_since_is_in_no_report_nor_are_its_retweets(wall):
    for original in ("o7", "o8", "o9"):
        store(make_post(id=original, author_username=f"author{original}"))
        store(retweet(original, author_username=f"author{original}"))
    counted = count(wall)
    Tweet.objects.filter(post_id="o7").update(state="hidden")
    Tweet.objects.filter(content__original_id="o8").update(state="hidden")

    assert sorted(top.post["id"] for top in top_posts(wall, counted)) == ["o8", "o9"]
    Tweet.objects.update(state="hidden")
    assert top_people(wall, counted) == top_posts(wall, counted) == []


# -- the page


def test_the_page_tells_how_much_by_whom_and_when(client):
    for minute in range(10):
        store(make_post(created_at=f"2026-11-21T09:{minute:02}:00+00:00"))
    store(
        retweet("o99", created_at="2026-11-21T09:03:30+00:00", author_name="Ben Okoro", author_username="ben")
    )

    page = report(client)

    assert tiles(page) == {"posts": "11", "people": "2", "times passed on": "1", "with a picture": "0 %"}
    assert len(list(page.find("rect", class_="wall-chart-peak"))) == 1
    drawing = next(page.find("svg", class_="wall-chart-drawing"))
    assert len(list(drawing.find("rect"))) == 10
    assert [name.text for name in next(page.find("ol", class_="wall-people")).find(class_="wall-name")] == [
        "Mara Lindqvist",
        "Ben Okoro",
    ]
    assert next(page.find(class_="wall-times-passed")).text == "once"


def test_of_another_time_there_is_another_report(client):
    store(make_post(created_at="2026-11-20T09:00:00+00:00"))
    store(make_post(created_at="2026-11-21T09:00:00+00:00"))

    assert tiles(report(client, "?from=2026-11-21T00:00&to="))["posts"] == "1"
    assert (
        "Nothing was posted" in next(report(client, "?to=2026-11-19").find(class_="wall-empty-report")).text
    )
    assert "no time" in next(report(client, "?from=then", status=400).find(class_="wall-problem")).text


def test_each_wall_has_a_report_of_its_own(client):
    store(make_post())
    Wall.objects.create(slug="hall-2", title="Hall 2")

    page = report(client, path="/wall/hall-2/report/")

    assert next(page.find("h1")).text == "Hall 2"
    assert tiles(page) == {}
    report(client, path="/wall/nowhere/report/", status=404)


def test_what_was_moderated_is_for_the_staff(client, wall):
    DatabaseStore("main").add([Removal(id="none", source="x")])
    store(make_post(text="a word that nobody should read"), state="hidden")
    key = store(make_post(text="its author took it back"))
    DatabaseStore("main").add([Removal(id=key.split(":")[1], source="x")])
    RejectedPost.objects.create(wall=wall, source="x", post_id="9", reason="DataError: too odd", raw="{}")

    stranger = client.get("/wall/report/").content.decode()
    client.force_login(User.objects.create_user("visitor"))
    visitor = client.get("/wall/report/").content.decode()
    client.force_login(User.objects.create_user("warden", is_staff=True))
    staff = client.get("/wall/report/").content.decode()

    for seen in (stranger, visitor):
        assert "nobody should read" not in seen and "Moderated" not in seen and "too odd" not in seen
    assert "a word that nobody should read" in staff and "DataError: too odd" in staff
    assert "its author took it back" not in staff
    counted = tiles(tree(staff))
    assert (counted["hidden by the staff"], counted["deleted by their authors"]) == ("1", "1")


def test_numbers_of_the_drawing_are_written_as_svg_reads_them(client):
    for minute in (0, 1, 5):
        store(make_post(created_at=f"2026-11-21T09:{minute:02}:00+00:00"))
    for number in range(3):
        store(make_post(author_username=f"user{number // 2}"))

    with override_settings(LANGUAGE_CODE="de", USE_THOUSAND_SEPARATOR=True):
        page = report(client)

    for element in page.find("rect"):
        for name in ("x", "y", "width", "height"):
            float(element.attributes.get(name, "0"))


def test_a_strangers_markup_stays_text_in_the_report(client):
    for number, post in enumerate(hostile_posts()):
        store(post | {"original_id": f"o{number}" if number % 2 else ""})
        store(post | {"id": f"hidden-{number}"}, state="hidden")
    client.force_login(User.objects.create_user("warden", is_staff=True))

    page = report(client)

    ours = ("/static/realtime_wall_wall/frame.js", "/static/realtime_wall_wall/report.js")
    assert tuple(one.attributes.get("src") for one in page.find("script")) == ours
    assert not list(page.find("style")) and not any(one.text for one in page.find("script"))
    for element in page.find():
        assert not [name for name in element.attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src"):
            address = element.attributes.get(name, "/")
            assert address.startswith(("https://", "http://", "/", "?", "#")) and not address.startswith("//")
