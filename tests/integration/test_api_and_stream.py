"""A program reads the list and then listens, and misses nothing in between."""

import json

import pytest

from tests.browser import key, posts_of_today
from tests.live import wait_for


@pytest.fixture
def site(wall_server, shell):
    server = wall_server(SOURCES=[])
    return server, shell(server)


def read(server, query=""):
    return json.loads(server.get(f"/api/posts/{query}").body)


def test_from_the_list_to_the_stream_without_a_hole(site):
    server, desk = site
    early, between, late = posts_of_today(3)
    desk.post(early)
    listed = read(server)
    desk.post(between)

    with server.client() as client:
        channel, cursor = listed["live"]["channel"], listed["live"]["cursor"]
        client.subscribe(channel, since=cursor)
        desk.post(late)
        heard = [client.read_until(lambda one: one["type"] == "tweet")["message"] for _ in range(2)]

    assert [key(post) for post in listed["posts"]] == [key(early)]
    assert [key(post) for post in heard] == [key(between), key(late)]


def test_pages_stay_whole_while_posts_arrive(site):
    server, desk = site
    desk.store(*(early := posts_of_today(30, ago=60)))

    seen, page = [], ""
    while page is not None:
        answer = read(server, f"?limit=4&page={page}")
        seen += [key(post) for post in answer["posts"]]
        page = answer["next"]
        desk.post(*posts_of_today(1))

    assert seen == [key(post) for post in reversed(early)]
    assert wait_for(lambda: len(server.listed()) == 38)
