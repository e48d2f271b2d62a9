"""``health/seen/`` tells what has arrived to who has a token of the site, and to nobody else."""

import json

import pytest
from django.test import RequestFactory

from realtime_wall import channel_token
from realtime_wall.views.seen_page import seen
from tests.fakes import running_node


def ask(token, **headers):
    request = RequestFactory().post(f"/health/seen/?token={token}", b"12345", "text/plain", headers=headers)
    return seen(request)


def test_it_says_what_has_arrived():
    with running_node():
        answer = ask(channel_token("doctor.*", write=True), origin="http://testserver", cookie="a=b")

    found = json.loads(answer.content)
    assert (found["scheme"], found["host"], found["origin"]) == ("http", "testserver", "http://testserver")
    assert (found["body"], found["cookies"]) == (5, ["a"])
    assert found["headers"]["Origin"] and not found["headers"]["Upgrade"]
    assert "realtime-doctor" in answer.cookies


@pytest.mark.threat("S39")
@pytest.mark.parametrize(
    "make_token",
    [
        lambda: "",
        lambda: "forged",
        lambda: channel_token("doctor.*"),
        lambda: channel_token("news", write=True),
    ],
    ids=["none", "forged", "to read", "of another channel"],
)
def test_it_says_nothing_without_a_token_of_the_doctors(make_token):
    with running_node():
        answer = ask(make_token())

    assert (answer.status_code, answer.content) == (403, b"")


def test_without_a_live_server_it_says_so():
    assert ask("").status_code == 503
