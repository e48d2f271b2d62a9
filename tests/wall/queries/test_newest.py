from datetime import timedelta

import pytest

from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.queries.newest import newer_than, newest
from tests.wall.fakes import FIRST, post


@pytest.fixture
def wall(database):
    """Posts 1 to 5; 4 was written before all others and came late, 3 is hidden."""
    hours = {1: 1, 2: 2, 3: 3, 4: 0, 5: 5}
    posts = [post(n, created_at=FIRST.created_at + timedelta(hours=hour)) for n, hour in hours.items()]
    DatabaseStore("main").add(posts)
    DatabaseStore("upstairs").add([post(6)])
    Tweet.objects.filter(post_id="3").update(state="hidden")
    return Wall.called()


def ids(messages):
    return [message["id"] for message in messages]


def test_the_newest_come_first_by_when_they_were_written(wall):
    assert ids(newest(wall, 10)) == ["5", "2", "1", "4"]
    assert ids(newest(wall, 2)) == ["5", "2"]
    assert newest(wall, 1)[0]["text"] == "Hello from the harbour"


def test_of_posts_of_one_moment_the_last_stored_is_newest(database):
    DatabaseStore("main").add([post(1), post(2), post(3)])

    assert ids(newest(Wall.called(), 3)) == ["3", "2", "1"]


def test_what_a_page_missed_is_what_was_stored_later_even_if_it_was_written_earlier(wall):
    missed = newer_than(wall, "list:2", 10)

    assert ids(missed.posts) == ["4", "5"]
    assert (missed.more, missed.known) == (False, True)


def test_who_has_the_last_post_missed_nothing(wall):
    missed = newer_than(wall, "list:5", 10)

    assert (missed.posts, missed.more, missed.known) == ([], False, True)


def test_many_missed_posts_are_read_page_by_page(wall):
    first = newer_than(wall, "list:1", 2)
    rest = newer_than(wall, f"list:{first.posts[-1]['id']}", 2)

    assert (ids(first.posts), first.more) == (["2", "4"], True)
    assert not newer_than(wall, "list:2", 2).more
    assert (ids(rest.posts), rest.more) == (["5"], False)


def test_a_hidden_post_still_marks_a_place(wall):
    assert ids(newer_than(wall, "list:3", 10).posts) == ["4", "5"]


@pytest.mark.parametrize("key", ["list:99", "x:1", "1", "", "list:6", ":", "list:\0"])
def test_after_an_unknown_key_come_the_newest(wall, key):
    missed = newer_than(wall, key, 2)

    assert ids(missed.posts) == ["2", "5"]
    assert (missed.more, missed.known) == (False, False)
