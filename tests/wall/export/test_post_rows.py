"""What moderators take home of a wall's posts, as a table and as a document."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.export import csv_stream
from realtime_wall.wall.models import Wall
from tests.wall.posts import hostile_posts, make_post, store

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]


@pytest.fixture
def ada(database):
    Wall.called().moderators.add(User.objects.create_user("ada"))
    client = Client()
    client.force_login(User.objects.get())
    with override_settings(ROOT_URLCONF=__name__):
        yield client


def rows(client, query=""):
    text = client.get(f"/wall/desk/posts.csv{query}").getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_all_posts_that_are_shown_page_by_page(ada, monkeypatch):
    monkeypatch.setattr(csv_stream, "PAGE", 2)
    stored = [make_post() for _ in range(5)]
    for post in stored:
        store(post)
    store(make_post(text="nobody should read this"), state="hidden")

    answer = ada.get("/wall/desk/posts.json")

    assert answer.streaming and "attachment" in answer["Content-Disposition"]
    assert json.loads(answer.getvalue()) == {"posts": stored}
    assert [row["id"] for row in rows(ada)] == [post["id"] for post in stored]


def test_only_what_was_searched_for(ada):
    store(make_post(text="the tide is in"))
    store(make_post(text="the tide is out"))

    assert [row["text"] for row in rows(ada, "?q=out")] == ["the tide is out"]
    assert ada.get("/wall/desk/posts.csv?page=nowhere").status_code == 400
    assert json.loads(ada.get("/wall/desk/posts.json?q=nothing").getvalue()) == {"posts": []}


@pytest.mark.threat("S52")
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝"])
def test_no_cell_begins_as_a_formula_does(ada, start):
    text = f'{start}HYPERLINK("https://evil.example")'
    store(make_post(text=text, author_name=text))
    for post in hostile_posts():
        store(post)

    found = rows(ada)

    assert found[0]["text"] == "'" + text
    for row in found:
        assert not any((value or "").startswith(csv_stream.FORMULA) for value in row.values())


@pytest.mark.threat("S43")
@pytest.mark.parametrize("name", ["posts.csv", "posts.json", "displays.csv"])
def test_nobody_but_moderators_takes_them(ada, name):
    assert Client().get(f"/wall/desk/{name}").status_code == 403
