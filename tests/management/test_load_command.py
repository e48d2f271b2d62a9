"""A load is bounded, and meant for a server of one's own."""

from argparse import ArgumentParser

import pytest
from django.core.management.base import CommandError

from realtime_wall.auth import channel_token
from realtime_wall.management.load_command import add_arguments, for_people, plan_of
from realtime_wall.management.load_generator import LoadResult


def plan(*arguments):
    parser = ArgumentParser()
    add_arguments(parser)
    return plan_of(vars(parser.parse_args(arguments)))


def test_a_plan_has_a_token_for_its_channels_alone():
    made = plan("http://127.0.0.1:8000", "--header", "Cookie: a=b:c")

    assert made.websocket_url == "ws://127.0.0.1:8000/ws/"
    assert plan("https://localhost/live/").websocket_url == "wss://localhost/live/ws/"
    assert made.headers == {"Cookie": "a=b:c"}
    assert channel_token.allows(made.token, "load.7", write=True, user=None)
    assert not channel_token.allows(made.token, "news", write=True, user=None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["localhost:8000"], "no address of a site"),
        (["ws://localhost/"], "no address of a site"),
        (["http://example.org/"], "say --yes"),
        (["http://10.0.0.7/"], "say --yes"),
        (["http://[::1]/", "--connections", "0"], "--connections has to be"),
        (["http://localhost/", "--connections", "20001"], "up to 20,000"),
        (["http://localhost/", "--rate", "nan"], "--rate has to be"),
        (["http://localhost/", "--header", "Cookie"], "--header 'Cookie'"),
    ],
)
def test_what_cannot_be_or_should_not_is_refused(arguments, said):
    with pytest.raises(CommandError, match=said):
        plan(*arguments)


def test_another_machine_takes_a_word():
    assert plan("https://staging.example.org/", "--yes").url == "https://staging.example.org/"


def test_who_measures_and_is_slow_itself_says_so():
    result = LoadResult(joined=3, published=2, expected=6, delivered=3, gaps=1, busy=0.95)
    result.problems["closed by the server: 1012"] = 2

    told = for_people(result, plan("http://localhost/"))

    assert "Joined:     3 of 100" in told
    assert "3 of 6 (50.00%)" in told
    assert "Gaps told:  1" in told
    assert "2 x    closed by the server: 1012" in told
    assert "95% of a core" in told
