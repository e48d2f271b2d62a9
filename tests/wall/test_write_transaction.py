"""On SQLite nobody is refused for having read before he writes: who writes next waits for his turn."""

import sqlite3

import pytest

from realtime_wall.wall.feed import store
from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.moderation import decisions
from realtime_wall.wall.moderation.decisions import Choice, decide
from tests.wall.fakes import post


@pytest.fixture
def other(database):
    """Another server, which writes as soon as it may, and does not wait."""
    Wall.called()
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    yield connection
    connection.close()


def writes_in_between(other, monkeypatch, module, name):
    """Behind what the transaction reads, and before what it writes."""
    refused, function = [], getattr(module, name)

    def called(*args):
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as problem:
            refused.append(str(problem))
        return function(*args)

    monkeypatch.setattr(module, name, called)
    return refused


def test_posts_are_stored_while_others_would_write(other, monkeypatch):
    refused = writes_in_between(other, monkeypatch, store, "Admission")
    stored = store.DatabaseStore("main").add([post(1)])

    assert len(stored.new) == 1 and not stored.left
    assert refused == ["database is locked"]


def test_so_is_what_a_moderator_decides(other, monkeypatch):
    wall = Wall.called()
    store.DatabaseStore("main").add([post(1), post(2)])
    refused = writes_in_between(other, monkeypatch, decisions, "_found")
    decide(wall, "approve", [Choice("list:2", "shown")], "ada")  # he is late, which is looked up
    decide(wall, "hide", [Choice("list:2", "taken_back"), Choice("list:1", "shown")], "ada")

    assert Tweet.objects.get(post_id="1").state == "hidden"
    assert refused == ["database is locked"] * 2
