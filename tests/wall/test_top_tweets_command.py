import io
import json

import pytest
from django.core.management import CommandError, call_command

from realtime_wall.wall.models import Wall
from tests.wall.posts import make_post, store
from tests.wall.queries.test_aggregates import retweet


def top_tweets(*arguments):
    out = io.StringIO()
    call_command("top_tweets", *arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def wall(database):
    store(make_post(id="o7", text="the original\x1b[31m, long " + "x" * 100, author_username="mara"))
    for original in ("o7", "o7", "o8"):
        store(retweet(original, author_username="ben", text="the other"))
    return Wall.called()


def test_what_was_passed_on_most_comes_first(wall):
    lines = top_tweets().splitlines()

    assert lines[0] == "4 posts, 3 of them passed on, by 2"
    assert lines[2].startswith("     2  @mara: the original [31m, long xxx") and len(lines[2]) < 90
    assert lines[3] == "     1  @ben: the other"
    assert lines[5:] == ["     1  @mara, passed on 0 times", "     0  @ben, passed on 3 times"]


def test_a_program_reads_all_of_it(wall):
    told = json.loads(top_tweets("1", "--json"))

    assert [post["times"] for post in told["posts"]] == [2]
    assert told["people"] == [{"posts": 1, "passed_on": 0, "username": "mara", "name": "Mara Lindqvist"}]


def test_what_makes_no_sense_is_refused(wall):
    for arguments in (("0",), ("51",), ("--wall", "nowhere")):
        with pytest.raises(CommandError):
            top_tweets(*arguments)
