import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from realtime_wall.wall.models import Tweet, Wall
from tests.wall.fakes import FIRST


def test_the_migrations_are_complete(database):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_main_wall_is_made_when_it_is_first_asked_for(database):
    assert Wall.called() == Wall.called()
    assert Wall.objects.get().slug == "main"


def test_each_wall_has_its_channel():
    assert Wall(slug="main").channel == "tweets"
    assert Wall(slug="upstairs").channel == "tweets.upstairs"


def test_a_wall_without_a_title_goes_by_its_slug():
    assert str(Wall(slug="main")) == "main"
    assert str(Wall(slug="main", title="Saltmarsh")) == "Saltmarsh"


def test_no_post_is_on_a_wall_twice(database):
    fields = {"wall": Wall.called(), "source": "x", "post_id": "1", "created_at": FIRST.created_at}
    Tweet.objects.create(content={}, **fields)

    with pytest.raises(IntegrityError):
        Tweet.objects.create(content={}, **fields)


def test_posts_that_were_hidden_stay_hidden_and_the_others_shown_when_states_come(database):
    call_command("migrate", "realtime_wall_wall", "0003", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO realtime_wall_wall_wall VALUES (1, 'main', '', '', '2026-01-01')")
        for post_id, hidden, version in (("1", 0, 0), ("2", 1, 0), ("3", 1, 2**63 - 1)):
            cursor.execute(
                "INSERT INTO realtime_wall_wall_tweet"
                " (wall_id, post_id, source, content, created_at, received_at, hidden, version)"
                " VALUES (1, %s, 'x', '{}', '2026-01-01', '2026-01-01', %s, %s)",
                [post_id, hidden, version],
            )
    call_command("migrate", "realtime_wall_wall", verbosity=0)

    states = dict(Tweet.objects.values_list("post_id", "state"))
    assert states == {"1": "shown", "2": "hidden", "3": "taken_back"}
    assert Tweet.objects.get(post_id="2").event_ids == ["2"]
    assert Wall.objects.get().mode == "at_once"


def test_the_main_wall_is_known_whenever_somebody_asks(database):
    assert Wall.known("nowhere") is None
    assert Wall.known("main") == Wall.known("main") == Wall.objects.get()
