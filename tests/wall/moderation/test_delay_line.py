"""What has waited long enough is shown, unless somebody has decided."""

from datetime import timedelta

import pytest
from django.utils import timezone

from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Mode, Tweet, Wall
from realtime_wall.wall.moderation import delay_line
from realtime_wall.wall.moderation.decisions import Choice, decide
from realtime_wall.wall.moderation.delay_line import DelayLine, release_due
from tests.fakes import HeldLease
from tests.wall.fakes import post


@pytest.fixture
def wall(database):
    wall = Wall.called()
    Wall.objects.update(mode=Mode.DELAYED)
    DatabaseStore("main").add([post(1), post(2)])
    return wall


def make_due(**which):
    Tweet.objects.filter(**which).update(show_at=timezone.now() - timedelta(seconds=1))


def released():
    return [message["id"] for stored in release_due().values() for message in stored.new]


def test_a_post_is_shown_when_its_time_has_come_and_once(wall):
    assert released() == []
    make_due(post_id="1")

    assert released() == ["1"] and released() == []
    assert Tweet.objects.get(post_id="1").event_ids == ["1"]


def test_what_a_moderator_has_hidden_is_not_shown_by_the_clock(wall):
    make_due()
    decide(wall, "hide", [Choice("list:1", "waiting")], "ada")

    assert released() == ["2"]


def test_on_a_wall_where_posts_are_approved_by_now_the_clock_shows_none(wall):
    make_due()
    Wall.objects.update(mode=Mode.APPROVED)

    assert released() == []


def test_the_line_publishes_what_it_shows_and_comes_back_soon_while_something_waits(
    wall, publisher, monkeypatch
):
    monkeypatch.setattr(delay_line, "publisher", lambda: publisher)
    make_due(post_id="2")
    line = DelayLine(None, HeldLease())

    assert line.look() == delay_line.SOON
    publisher.wait_for(2)
    make_due(post_id="1")
    assert line.look() is None

    shown, listed = publisher.published[:2]
    assert (shown[0], shown[1]["id"], shown[2]) == ("tweets", "2", "tweet")
    assert (listed[0], listed[1]["state"], listed[1]["was"]) == ("wall-desk.main", "shown", "waiting")
