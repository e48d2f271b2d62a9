from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.queries.aggregates import MOST, Span, count, figures
from tests.wall.posts import make_post, picture, store

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def wall(database):
    cache.clear()
    yield Wall.called()
    cache.clear()


def at(minutes, **fields):
    return make_post(created_at=(NOON + timedelta(minutes=minutes)).isoformat(), **fields)


def retweet(original_id, **fields):
    return make_post(original_id=original_id, retweeted_by="Tomás", retweeted_by_username="tomas", **fields)


def test_an_empty_wall_adds_up_to_nothing(wall):
    assert count(wall).posts == count(wall).people == 0
    assert count(wall).minutes == {}


def test_posts_are_counted_by_the_minute(wall):
    for minute in (0, 0.5, 0.99, 7):
        store(at(minute))

    assert count(wall).minutes == {NOON: 3, NOON + timedelta(minutes=7): 1}


def test_hidden_posts_and_other_walls_do_not_count(wall):
    store(at(0), state="hidden")
    store(at(0), wall=Wall.objects.create(slug="hall-2"))

    assert (count(wall).posts, count(wall).minutes) == (0, {})


def test_people_are_ranked_by_what_they_wrote_then_by_what_was_passed_on(wall):
    for username in ("mara", "Mara", "ben", "ben", "zoe", "zoe"):
        store(make_post(author_username=username))
    store(retweet("o900", author_username="zoe"))
    store(make_post(author_username="", author_name="No Handle"))
    store(retweet("o901", author_username="only_passed_on"))

    found = count(wall)

    assert [(person.name, person.posts, person.passed_on) for person in found.top_people] == [
        ("zoe", 2, 1),
        ("ben", 2, 0),
        ("mara", 2, 0),
        ("No Handle", 1, 0),
        ("only_passed_on", 0, 1),
    ]
    assert (found.posts, found.retweets, found.originals, found.people) == (9, 2, 7, 5)


def test_a_person_is_shown_by_their_newest_tweet(wall):
    store(make_post(author_name="Old name"))
    newest = store(make_post(author_name="New name", lang="de", source="mastodon"))

    (person,) = count(wall).top_people

    assert str(Tweet.objects.get(id=person.row)) == newest


def test_posts_are_ranked_by_how_often_they_were_passed_on(wall):
    for original in ("o7", "o8", "o8", "o9"):
        store(retweet(original))
    store(retweet("o8", source="mastodon"))  # another post: its number means something else there

    ranked = [(post.source, post.post_id, post.times) for post in count(wall).top_posts]

    assert ranked == [("x", "o8", 2), ("mastodon", "o8", 1), ("x", "o9", 1), ("x", "o7", 1)]


def test_pictures_languages_and_networks(wall):
    store(
        make_post(media=[picture("https://img.example/1.jpg"), picture("https://img.example/2.jpg", "video")])
    )
    store(make_post(lang="de", source="mastodon"))
    store(make_post(lang=""))

    found = count(wall)

    assert found.media == [("", 2), ("photo", 1)]
    assert sorted(found.languages) == [("", 1), ("de", 1), ("en", 1)]
    assert found.sources == [("x", 2), ("mastodon", 1)]


def test_a_post_of_a_source_that_left_things_out_is_counted_too(wall):
    bare = make_post()
    for name in ("author_username", "author_name", "lang", "media", "original_id"):
        del bare[name]
    store(bare)
    store(make_post(author_username=None, lang=None, media=None, original_id=None))

    found = count(wall)
    assert (found.posts, found.people) == (2, 1)  # the first of them is nobody's
    assert [person.name for person in found.top_people] == ["Mara Lindqvist"]


def test_only_so_many_are_remembered_by_name(wall):
    for number in range(MOST + 1):
        store(make_post(author_username=f"user{number}"))

    found = count(wall)

    assert (found.people, len(found.top_people)) == (MOST + 1, MOST)


def test_a_span_has_its_first_moment_and_not_its_last(wall):
    for minutes in (-1, 0, 59, 60):
        store(at(minutes))

    assert count(wall, Span(NOON, NOON + timedelta(hours=1))).posts == 2
    assert count(wall, Span(NOON)).posts == 3
    assert count(wall, Span(until=NOON)).posts == 1


def test_figures_are_counted_again_when_they_have_grown_old(wall):
    store(make_post())
    assert figures(wall).posts == 1

    store(make_post())
    assert figures(wall).posts == 1
    assert figures(wall, Span(NOON - timedelta(days=9))).posts == 2
    cache.clear()
    assert figures(wall).posts == 2
