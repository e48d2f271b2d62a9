from realtime_wall.wall.recent import Recent
from tests.wall.fakes import post


def ids(posts):
    return [post.id for post in posts]


def test_a_post_is_unseen_until_it_is_added():
    recent = Recent()

    assert ids(recent.unseen([post(1), post(2)])) == ["1", "2"]
    assert ids(recent.unseen([post(1)])) == ["1"]
    recent.add([post(1)])
    assert ids(recent.unseen([post(1), post(2)])) == ["2"]


def test_each_comes_once_and_the_first_of_them():
    first, second = post(1, "first"), post(1, "second")

    assert Recent().unseen([post(0), first, post(2), second]) == [post(0), first, post(2)]


def test_sources_are_told_apart():
    recent = Recent()
    recent.add([post(1)])

    assert ids(recent.unseen([post(1, source="x")])) == ["1"]


def test_only_so_many_are_remembered():
    recent = Recent(size=3)
    recent.add(map(post, range(5)))

    assert ids(recent.unseen(map(post, range(5)))) == ["0", "1"]
