import sqlite3
from contextlib import closing

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection

from realtime_wall.wall.feed import store as store_module
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import RejectedPost, SourcePosition, Tweet, Wall
from realtime_wall.wall.post import Mark, Media, Post, Removal
from tests.wall.fakes import post


class Unstorable(Post):
    def as_message(self):
        return super().as_message() | {"text": "", "lang": object()}


class Unspeakable(Post):
    def as_message(self):
        raise ZeroDivisionError("no words")


def bad(kind, post_id):
    good = post(post_id)
    return kind(id=good.id, source=good.source, text=good.text, created_at=good.created_at)


def ids(stored):
    return [message["id"] for message in stored.new]


def test_what_is_new_is_stored_and_told_in_order(database):
    stored = DatabaseStore("main").add([post(3), post(1), post(2)])

    assert ids(stored) == ["3", "1", "2"]
    assert [tweet.post_id for tweet in Tweet.objects.order_by("id")] == ["3", "1", "2"]
    tweet = Tweet.objects.get(post_id="3")
    assert tweet.content == stored.new[0] == post(3).as_message()
    assert (tweet.wall.slug, tweet.source, tweet.state) == ("main", "list", "shown")
    assert tweet.created_at == post(3).created_at


def test_a_stored_post_is_not_new_again(database):
    store = DatabaseStore("main")
    store.add([post(1), post(2)])

    assert ids(store.add([post(2), post(3)])) == ["3"]
    assert Tweet.objects.count() == 3


def test_a_post_twice_in_a_batch_is_stored_once(database):
    stored = DatabaseStore("main").add([post(1), post(1)])

    assert (ids(stored), stored.rejected) == (["1"], [])


def test_the_same_id_of_another_source_or_on_another_wall_is_another_post(database):
    DatabaseStore("main").add([post(1)])

    assert ids(DatabaseStore("main").add([post(1, source="elsewhere")])) == ["1"]
    assert ids(DatabaseStore("upstairs").add([post(1)])) == ["1"]
    assert Wall.objects.count() == 2


@pytest.mark.parametrize("batch, new", [(["2"], []), (["1", "2", "3"], ["1", "3"])])
def test_a_post_that_another_process_stored_meanwhile_is_no_reason_to_reject(
    database, monkeypatch, batch, new
):
    """The other process inserts after we have looked up what is new, and before we insert."""
    insert, called, raced = store_module.insert, Wall.called, []

    def lose_the_race(wall, posts, *more):
        if not raced:
            raced.append("2")
            raise IntegrityError("duplicate key")
        return insert(wall, posts, *more)

    def find_what_the_other_stored(slug):
        wall = called(slug)
        if raced == ["2"]:
            raced.append("stored")
            wall.tweets.create(source="list", post_id="2", content={}, created_at=post().created_at)
        return wall

    monkeypatch.setattr(store_module, "insert", lose_the_race)
    monkeypatch.setattr(Wall, "called", find_what_the_other_stored)

    stored = DatabaseStore("main").add([post(post_id) for post_id in batch])

    assert (ids(stored), stored.rejected, stored.left) == (new, [], [])


def test_a_post_that_the_database_refuses_is_put_aside_and_the_others_go_on(database):
    posts = [post(n) for n in range(8)]
    posts[5] = bad(Unstorable, 5)

    stored = DatabaseStore("main").add(posts)

    assert ids(stored) == ["0", "1", "2", "3", "4", "6", "7"]
    assert [rejection.post.id for rejection in stored.rejected] == ["5"]
    aside = RejectedPost.objects.get()
    assert (aside.post_id, aside.source, aside.wall.slug) == ("5", "list", "main")
    assert "TypeError" in aside.reason
    assert aside.raw.startswith('{"id": "5"')
    assert stored.rejected[0].kept


def test_even_a_post_that_cannot_be_written_down_is_put_aside(database):
    stored = DatabaseStore("main").add([bad(Unspeakable, 1), post(2)])

    assert ids(stored) == ["2"]
    assert "no words" in stored.rejected[0].reason
    assert "Unspeakable" in RejectedPost.objects.get().raw


def test_what_is_put_aside_is_cut(database):
    class Huge(Unstorable):
        def as_message(self):
            return {"text": "x" * 200_000, "bad": object()}

    DatabaseStore("main").add([bad(Huge, 1)])

    assert len(RejectedPost.objects.get().raw) == 64 * 1024


def test_a_post_that_alone_finds_the_database_away_is_put_aside_in_the_end(database, monkeypatch):
    """PostgreSQL says of a very large one what it says when it is shutting down."""
    insert = store_module.insert

    def refuse_the_third(wall, posts, *more):
        if any(one.id == "3" for one in posts):
            raise OperationalError("total size of jsonb object exceeds the maximum")
        return insert(wall, posts, *more)

    monkeypatch.setattr(store_module, "insert", refuse_the_third)
    store, new, rejected, left = DatabaseStore("main"), [], [], [post(n) for n in range(1, 9)]
    for _ in range(store_module.REFUSALS):
        stored = store.add(left)
        new, rejected, left = new + ids(stored), rejected + stored.rejected, stored.left

    assert sorted(new) == ["1", "2", "4", "5", "6", "7", "8"]
    assert ([one.post.id for one in rejected], left) == (["3"], [])
    assert RejectedPost.objects.get().post_id == "3"


def test_while_the_database_is_locked_all_posts_are_left(database):
    Wall.called()
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        stored = DatabaseStore("main").add([post(1), post(2)])

    assert [left.id for left in stored.left] == ["1", "2"]
    assert "locked" in str(stored.problem)
    assert (stored.new, stored.rejected) == ([], [])
    assert ids(DatabaseStore("main").add(stored.left)) == ["1", "2"]


def test_what_was_stored_before_the_database_went_away_is_told(database, monkeypatch):
    """A batch is halved for its bad post; the database goes away between the halves."""
    insert = store_module.insert

    def lock_after_the_first_half(wall, posts, *more):
        messages = insert(wall, posts, *more)
        if [post.id for post in posts] == ["1", "2"]:
            locks.append(sqlite3.connect(database, isolation_level=None))
        return messages

    locks = []
    monkeypatch.setattr(store_module, "insert", lock_after_the_first_half)
    monkeypatch.setattr(store_module, "write_transaction", locked_when(locks, store_module.write_transaction))

    stored = DatabaseStore("main").add([post(1), post(2), bad(Unstorable, 3), post(4)])
    locks[0].close()

    assert ids(stored) == ["1", "2"]
    assert [left.id for left in stored.left] == ["3", "4"]


def locked_when(locks, write_transaction):
    def lock_first():
        if locks and not locks[0].in_transaction:
            locks[0].execute("BEGIN EXCLUSIVE")
        return write_transaction()

    return lock_first


class Failing(DatabaseStore):
    """Raises each of its problems once, when just these posts are inserted."""

    def __init__(self, **problems):
        super().__init__("main")
        self.problems = problems

    def _write(self, posts):
        problem = self.problems.pop("post_" + "_".join(post.id for post in posts), None)
        if problem:
            raise problem
        return super()._write(posts)


def test_once_the_database_has_gone_away_nothing_behind_is_stored_before_it(database):
    store = Failing(post_2=OperationalError("gone"))

    stored = store.add([bad(Unstorable, 1), post(2), post(3), post(4)])

    assert [left.id for left in stored.left] == ["2", "3", "4"]
    assert ids(stored) == []
    assert str(stored.problem) == "gone"


def test_a_conflict_that_goes_away_leaves_a_stored_post(database):
    store = Failing(post_1=IntegrityError("the wall was deleted just then"))

    stored = store.add([post(1)])

    assert (ids(stored), stored.rejected) == (["1"], [])


def test_a_conflict_that_stays_is_a_reason_to_reject(database, monkeypatch):
    def refuse(wall, posts, *more):
        raise IntegrityError("a rule of this site")

    monkeypatch.setattr(store_module, "insert", refuse)

    stored = DatabaseStore("main").add([post(1)])

    assert [rejection.reason for rejection in stored.rejected] == ["IntegrityError: a rule of this site"]


def test_what_cannot_even_be_put_aside_is_told(database, monkeypatch):
    def refuse(**fields):
        raise DataError("not that either")

    monkeypatch.setattr(RejectedPost.objects, "create", refuse)

    (rejection,) = DatabaseStore("main").add([bad(Unstorable, 1)]).rejected

    assert not rejection.kept
    assert "nor could that be noted: DataError" in rejection.reason


def test_the_connection_is_given_back(database):
    DatabaseStore("main").add([post(1)])

    assert connection.connection is None


def edit(post_id="1", text="As it was meant", version=1):
    return post(post_id, text, version=version)


def removal(post_id="1"):
    return Removal(id=post_id, source="list")


def stored_text(post_id="1"):
    return Tweet.objects.get(post_id=post_id).content["text"]


def test_an_edit_replaces_what_is_stored_and_is_told_as_a_change(database):
    store = DatabaseStore("main")
    store.add([post(1), post(2)])

    stored = store.add([edit()])

    assert (stored.new, stored.changed) == ([], [edit().as_message()])
    assert stored_text() == "As it was meant"
    assert Tweet.objects.count() == 2


@pytest.mark.parametrize("late", [post(1), edit(text="In between", version=1)])
def test_an_earlier_version_that_comes_later_changes_nothing(database, late):
    store = DatabaseStore("main")
    store.add([edit(version=2)])

    stored = store.add([late])

    assert (stored.new, stored.changed) == ([], [])
    assert stored_text() == "As it was meant"


def test_an_edit_of_a_hidden_post_is_stored_and_not_told(database):
    store = DatabaseStore("main")
    store.add([post(1)])
    Tweet.objects.update(state="hidden")

    assert store.add([edit()]).changed == []
    assert stored_text() == "As it was meant"


def test_a_removal_hides_the_post_and_forgets_what_it_said(database):
    store = DatabaseStore("main")
    store.add([post(1, media=(Media("photo", "https://posts.example/1.png"),)), post(2)])

    stored = store.add([removal()])

    assert stored.removed == [{"id": "1", "source": "list"}]
    tweet = Tweet.objects.get(post_id="1")
    assert (tweet.state, tweet.content["text"], tweet.content["media"]) == ("taken_back", "", [])
    assert tweet.content["author_username"] == "maraquill"


def test_a_removed_post_never_comes_back(database):
    store = DatabaseStore("main")
    store.add([post(1)])
    store.add([removal()])

    for late in (post(1), edit(version=9), removal()):
        stored = store.add([late])
        assert (stored.new, stored.changed, stored.removed) == ([], [], [])
    assert stored_text() == ""


def test_the_removal_of_a_post_that_was_never_stored_stores_nothing(database):
    stored = DatabaseStore("main").add([removal()])

    assert (stored.removed, Tweet.objects.count()) == ([], 0)


def test_how_far_a_source_was_read_is_stored_with_its_posts(database):
    store = DatabaseStore("main")
    store.add([post(1, cursor="10"), post(2, cursor="11"), post(3, source="other")])
    store.add([Mark(source="list", cursor="15")])

    assert list(SourcePosition.objects.values_list("wall__slug", "source", "cursor")) == [
        ("main", "list", "15")
    ]


def test_a_place_that_was_not_reached_is_not_stored(database):
    store = Failing(post_2=OperationalError("gone"))

    store.add([bad(Unstorable, 1), post(2, cursor="11")])

    assert not SourcePosition.objects.exists()


def test_the_trouble_of_a_source_is_kept_beside_its_place(database):
    store = DatabaseStore("main")
    store.add([post(1, cursor="10")])
    store.note("list", "it has stopped for good: \0" + "x" * 600)
    store.note("other", "gone")

    kept = dict(SourcePosition.objects.values_list("source", "problem"))
    assert kept["list"].startswith("it has stopped for good: xxx") and len(kept["list"]) == 500
    assert SourcePosition.objects.get(source="list").cursor == "10"
    store.note("list", "")
    assert SourcePosition.objects.get(source="list").problem == ""


def test_a_note_that_cannot_be_kept_is_no_trouble(database):
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        DatabaseStore("main").note("list", "gone")
