"""``manage.py lister`` against a small X: who is added, at what cost, and how it goes on."""

import builtins
import io

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from realtime_wall.wall import options
from realtime_wall.wall.management.commands.lister import Command
from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.sources.x import list_timeline
from realtime_wall.wall.sources.x.list_timeline import PACE, authors_of
from tests.fake_x import refuse
from tests.fake_x_lists import SECRETS, FakeXLists
from tests.wall.posts import make_post, store


@pytest.fixture(autouse=True)
def secrets(monkeypatch, database):
    for name in options.FROM_THE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def x():
    with FakeXLists({"7": "people", "8": "others"}) as x:
        yield x


def authors(*users):
    for user in users:
        store(make_post(author_id=str(user), author_username=f"user{user}"))


@pytest.fixture
def lister(x, clock):
    def run(*arguments, terminal=False):
        out = Terminal() if terminal else io.StringIO()
        command = Command(clock=clock, base_url=x.url, stdout=out, stderr=out, no_color=True)
        try:
            call_command(command, *(arguments or ("--list", "7", "--yes")))
        except CommandError as problem:
            return f"{out.getvalue()}CommandError: {problem}"
        return out.getvalue()

    return run


class Terminal(io.StringIO):
    def isatty(self):
        return True


def added(x):
    return [user for _, user in x.members]


# -- who


def test_authors_of_original_posts_are_added_in_the_order_of_their_first(lister, x):
    authors(3, 1, 3, 2)
    store(make_post(author_id="9", original_id="o900", retweeted_by="Tomás"))
    store(make_post(author_id="10"), state="hidden")
    store(make_post(author_id="11", source="mastodon"))
    store(make_post(author_id="did:plc:x"))
    store(make_post(author_id="12"), wall=Wall.objects.create(slug="hall-2"))

    assert "3 were added" in lister()
    assert x.members == [("7", "3"), ("7", "1"), ("7", "2")]


def test_who_is_banned_is_not_added():
    authors(1, 2)

    assert [author.user_id for author in authors_of(Wall.called(), ["@USER1"])] == ["2"]


def test_a_list_is_found_by_its_name_or_made(lister, x):
    authors(1)

    assert "1 were added" in lister("--list", "others", "--yes")
    assert "you have no list 'new'" in lister("--list", "new", "--yes")
    assert "1 were added" in lister("--list", "new", "--create", "--yes")
    assert x.members == [("8", "1"), ("1002", "1")]


def test_the_list_may_be_in_the_settings(lister, x):
    authors(1)
    with override_settings(REALTIME_WALL={"WALL": {"TWITTER_LIST": "people"}}):
        lister("--yes")

    assert x.members == [("7", "1")]
    assert "which list?" in lister("--yes")


def test_a_list_has_only_so_many_members(lister, x):
    authors(1, 2, 3)
    assert "1 are left out" in lister("--list", "7", "--yes", "--most", "2")
    authors(4)
    assert "nobody new" in lister("--list", "7", "--yes", "--most", "2")

    assert added(x) == ["1", "2"]


# -- what it costs


def test_the_cost_is_said_before_anything_is_asked_of_x(lister, x, monkeypatch):
    authors(*range(1, 101))
    asked = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append((question, list(x.requests))) or "n")

    said = lister("--list", "7")

    assert "100 are to be added to the list '7': about $0.50 at X's prices, in about 5 min" in said
    assert "nothing was done" in said
    assert asked == [("Go on? [y/N] ", [])] and x.requests == []


def test_who_agrees_goes_on_and_where_nobody_is_there_nothing_happens(lister, x, monkeypatch):
    authors(1)

    def nobody(question):
        raise EOFError

    monkeypatch.setattr(builtins, "input", nobody)
    assert "give --yes" in lister("--list", "7")
    assert x.requests == []
    monkeypatch.setattr(builtins, "input", lambda question: "Yes")
    assert "1 were added" in lister("--list", "7")


def test_a_dry_run_asks_x_nothing_and_changes_nothing(lister, x, monkeypatch):
    authors(1, 2)
    monkeypatch.delenv("ACCESS_SECRET")

    said = lister("--list", "people", "--create", "--dry-run", "--again")

    assert "about $0.03" in said and "@user1\n@user2" in said
    assert x.requests == []
    assert not Wall.called().positions.exists()


# -- going on


def test_the_next_run_adds_new_authors_only(lister, x):
    authors(1, 2)
    lister()
    authors(2, 3)
    lister()
    assert "nobody new" in lister()
    assert added(x) == ["1", "2", "3"]

    lister("--list", "8", "--yes")
    assert x.members[3:] == [("8", "1"), ("8", "2"), ("8", "3")]
    lister("--list", "7", "--yes", "--again")
    assert added(x)[6:] == ["1", "2", "3"]


def test_what_was_broken_off_goes_on_where_it_was(lister, x, clock):
    authors(1, 2, 3, 4)
    waits = iter([None, KeyboardInterrupt])
    wait = clock.wait

    def wait_until_the_user_has_enough(event, seconds):
        if next(waits, None) is KeyboardInterrupt:
            raise KeyboardInterrupt
        return wait(event, seconds)

    clock.wait = wait_until_the_user_has_enough
    assert "2 were added; run it again to go on" in lister()
    clock.wait = wait
    assert "2 were added" in lister()

    assert added(x) == ["1", "2", "3", "4"]


def test_it_keeps_the_pace_of_x(lister, x, clock):
    authors(*range(1, 302))
    lister()

    assert len(added(x)) == 301
    assert clock.elapsed() >= 300 * PACE >= 900


def test_a_limit_is_waited_for_as_x_says(lister, x, clock):
    authors(1, 2)
    x.script = [None, refuse(429, {"x-rate-limit-reset": str(int(clock.now()) + 600)}), refuse(429)]

    assert "2 were added" in lister()
    assert added(x) == ["1", "2"]
    assert max(clock.waits) >= 590
    assert 60 in clock.waits  # where X says nothing


def test_a_bad_moment_is_tried_again_and_a_long_one_ends_it(lister, x, clock):
    authors(1, 2)
    x.script = [refuse(503), refuse(500), None, *[refuse(503)] * list_timeline.RETRIES]

    said = lister()

    assert "X cannot be reached (TwitterServerError). 1 were added; run it again to go on." in said
    assert "1 were added" in lister()
    assert added(x) == ["1", "2"]


def test_who_is_refused_is_named_and_left_out(lister, x):
    authors(1, 2, 3)
    x.refused = {"2": (403, "blocked you")}

    said = lister()

    assert "@user2: X answered 403 (blocked you)" in said
    assert "2 were added, 1 were refused" in said
    assert added(x) == ["1", "3"]


def test_a_list_that_takes_nobody_is_somebody_elses(lister, x):
    authors(*range(1, 20))
    x.refused = {str(user): (403, "not yours") for user in range(1, 20)}

    assert "X takes nobody: X answered 403 (not yours). Is the list 7 yours?" in lister()
    assert len(x.requests) == list_timeline.DOUBTFUL


def test_wrong_secrets_end_it_at_once_and_are_not_told(lister, x, monkeypatch):
    authors(1, 2)
    monkeypatch.setenv("ACCESS_SECRET", "a wrong secret")

    said = lister()

    assert "X answered 401 (Unauthorized): are CONSUMER_KEY" in said and "a wrong secret" not in said
    assert len(x.requests) == 1
    monkeypatch.delenv("ACCESS_SECRET")
    monkeypatch.delenv("CONSUMER_KEY")
    assert "set CONSUMER_KEY, ACCESS_SECRET" in lister()


def test_an_answer_that_is_none_is_tried_again(lister, x):
    authors(1)

    def nonsense(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html>...")

    x.script = [nonsense]
    assert "1 were added" in lister()


# -- what is seen of it


def test_a_terminal_has_a_bar_and_a_log_some_lines(lister, x):
    authors(*range(1, 41))
    seen = lister("--list", "7", "--yes", terminal=True)
    lines = lister("--list", "8", "--yes").splitlines()

    assert "[###############...............] 20/40, 1 min left" in seen
    assert "[##############################] 40/40, less than a minute left" in seen
    assert len([line for line in lines if " left" in line]) == 10


def test_a_wall_that_is_not_there_is_named(lister):
    assert "there is no wall 'nowhere'" in lister("--list", "7", "--wall", "nowhere")
    assert not Tweet.objects.exists()
