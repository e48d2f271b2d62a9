import pytest
from django.core.management import call_command
from django.db import IntegrityError

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
