from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.feed.recent_ids import RecentIds, cursors, latest
from realtime_wall.wall.post import Mark, Removal
from tests.wall.fakes import post


def ids(posts):
    return [post.id for post in posts]


def test_a_post_is_unseen_until_it_is_added():
    recent = RecentIds()

    assert ids(recent.unseen([post(1), post(2)])) == ["1", "2"]
    assert ids(recent.unseen([post(1)])) == ["1"]
    recent.add([post(1)])
    assert ids(recent.unseen([post(1), post(2)])) == ["2"]


def test_each_comes_once_and_the_first_of_them():
    first, second = post(1, "first"), post(1, "second")

    assert RecentIds().unseen([post(0), first, post(2), second]) == [post(0), first, post(2)]


def test_sources_are_told_apart():
    recent = RecentIds()
    recent.add([post(1)])

    assert ids(recent.unseen([post(1, source="x")])) == ["1"]


def test_only_so_many_are_remembered():
    recent = RecentIds(size=3)
    recent.add(map(post, range(5)))

    assert ids(recent.unseen(map(post, range(5)))) == ["0", "1"]


def removal(post_id):
    return Removal(id=str(post_id), source="list")


def test_a_later_version_is_unseen_and_an_earlier_one_is_not():
    recent = RecentIds()
    recent.add([post(1, version=2)])

    assert recent.unseen([post(1, version=1)]) == recent.unseen([post(1, version=2)]) == []
    assert recent.unseen([post(1, version=3)]) == [post(1, version=3)]


def test_nothing_is_later_than_a_removal():
    recent = RecentIds()
    recent.add([removal(1)])

    assert recent.unseen([post(1), post(1, version=9), removal(1)]) == []


@given(st.permutations([post(1), post(1, version=1), post(1, version=2), removal(1), post(2)]))
def test_the_order_in_which_the_versions_come_does_not_matter(items):
    assert set(latest(items)) == {removal(1), post(2)}


def test_every_mark_is_kept_and_the_last_one_counts():
    marks = [Mark(source="a", cursor="1"), Mark(source="b", cursor="7"), Mark(source="a", cursor="2")]

    assert RecentIds().unseen(marks) == marks
    assert cursors([*marks, post(3, source="b")]) == {"a": "2", "b": "7"}
