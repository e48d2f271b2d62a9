from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.models import Wall
from realtime_wall.wall.queries.archive import MOST, Place, Search, find, matching
from realtime_wall.wall.world_map.box import BadSearch
from tests.wall.posts import make_post, store

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def wall(database):
    return Wall.called()


def asked(**query):
    """A search as it comes in an address."""
    query_dict = QueryDict(mutable=True)
    for name, value in query.items():
        query_dict.setlist(name, value if isinstance(value, list) else [value])
    return Search.parse(query_dict)


def texts(wall, **query):
    return [post["text"] for post in find(wall, asked(**query)).posts]


def pages(wall, *, between=lambda: None, **query):
    """Every post, page by page, whatever happens between two pages."""
    found = find(wall, asked(**query))
    yield from (post["id"] for post in found.posts)
    while found.next:
        between()
        found = find(wall, asked(page=str(found.next), **query))
        yield from (post["id"] for post in found.posts)


# -- page by page


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), st.integers(0, 2**63 - 1))
def test_a_place_is_read_as_it_was_written(moment, row):
    place = Place(moment.replace(tzinfo=UTC), row)

    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "-", "1", "1-", "-1", "g-1", "1-1-1", "f" * 15 + "-1", "1-" + "f" * 16, "1" * 5000]
)
def test_what_is_no_place_is_refused(text):
    with pytest.raises(BadSearch):
        Place.parse(text)


def test_all_posts_come_once_newest_first_though_many_are_of_one_moment(wall):
    stored = [store(make_post(created_at=(NOON + timedelta(minutes=n // 4)).isoformat())) for n in range(23)]

    assert [f"x:{post_id}" for post_id in pages(wall, limit="3")] == stored[::-1]


def test_what_arrives_meanwhile_moves_nothing(wall):
    first = [store(make_post(created_at=NOON.isoformat())).split(":")[1] for _ in range(7)]

    def somebody_posts():
        for minutes in (-1, 0, 1):
            store(make_post(created_at=(NOON + timedelta(minutes=minutes)).isoformat()))

    found = list(pages(wall, limit="2", between=somebody_posts))

    assert len(found) == len(set(found))
    assert [post_id for post_id in found if post_id in first] == first[::-1]


def test_hidden_posts_and_those_of_other_walls_are_never_found(wall):
    store(make_post(text="hidden"), state="hidden")
    store(make_post(text="elsewhere"), wall=Wall.objects.create(slug="hall-2"))
    store(make_post(text="shown"))

    assert texts(wall) == ["shown"]
    assert texts(wall, q="hidden") == []


def test_a_page_has_no_more_posts_than_the_limit_and_the_last_one_no_next(wall):
    for _ in range(MOST + 1):
        store(make_post())

    assert len(find(wall, asked(limit="999999")).posts) == MOST
    assert len(find(wall, asked()).posts) == 50
    assert find(wall, asked(limit=str(MOST + 1))).next
    assert find(Wall.objects.create(slug="empty"), asked()).next is None


# -- searching


def test_every_word_has_to_be_there_in_the_text_or_in_the_names(wall):
    store(make_post(text="The Tides come in", author_name="Mara Lindqvist"))
    store(make_post(text="Tides again", author_name="Tomás", author_username="tomas"))

    assert texts(wall, q="tides") == ["Tides again", "The Tides come in"]
    assert texts(wall, q="  tides   LINDQVIST ") == ["The Tides come in"]
    assert texts(wall, q="tides herring") == []


def test_upper_and_lower_case_do_not_matter_in_other_alphabets_either(wall):
    for text in ("ÜBERALL MÖWEN", "überall möwen", "Überall Möwen"):
        store(make_post(text=text))

    assert len(texts(wall, q="überall")) == len(texts(wall, q="MÖWEN")) == 3


@pytest.mark.parametrize("wild", ["%", "_", "100%", "\\", "'", '"', "$.text", "%%%"])
def test_no_character_means_anything_but_itself(wall, wild):
    store(make_post(text="plain words"))
    exact = make_post(text=f"with {wild} inside")
    store(exact)

    assert texts(wall, q=wild) == [exact["text"]]


def test_an_author_is_found_by_the_whole_name(wall):
    store(make_post(text="hers", author_username="Mara"))
    store(make_post(text="another's", author_username="mara_b"))

    assert texts(wall, author="@mara") == ["hers"]


def test_posts_of_some_sources(wall):
    for source in ("x", "mastodon", "bluesky"):
        store(make_post(text=source, source=source))

    assert texts(wall, source="mastodon") == ["mastodon"]
    assert texts(wall, source=["x", "bluesky"]) == ["bluesky", "x"]
    assert len(texts(wall, source="")) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"q": "x" * 101},
        {"q": "a b c d e f g h i"},
        {"q": "\0"},
        {"author": "\0"},
        {"author": "\ud800"},
        {"author": "x" * 101},
        {"source": list("abcdefghi")},
        {"source": "x" * 33},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": "9" * 5000},
        {"page": "2"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(query):
    with pytest.raises(BadSearch):
        asked(**query)


def test_a_page_is_read_along_the_index(wall):
    """However far down it is: nothing is sorted, and nothing newer is read again."""
    store(make_post())
    search = asked(page=str(Place(NOON, 7)))

    plan = matching(wall, search).order_by("-created_at", "-id")[:51].explain()

    assert "newest_tweets" in plan and "created_at<" in plan
    assert "TEMP B-TREE" not in plan
