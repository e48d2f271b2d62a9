import json

import pytest

from realtime_wall.events import Published
from realtime_wall.wall.live_search import search_subscriptions
from realtime_wall.wall.live_search.search_subscriptions import (
    AT_ONCE,
    MOST_TERMS,
    TERM_SIZE,
    SearchSubscriptions,
)
from tests.wall.posts import entity, make_post


class FakeSocket:
    """Remembers the texts of the posts that it was sent, and other events."""

    def __init__(self):
        self.sent = []
        self.is_disconnected = False
        self._session = self  # its own inside

    def send_volatile(self, name, arguments):
        data = json.loads(arguments.data_json)
        self.sent.append(data["text"] if name == "tweet" else (name, data))


class Clock:
    time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def time():
    return Clock()


@pytest.fixture
def searches(time):
    searches = SearchSubscriptions(time)
    searches.start()
    yield searches
    searches.stop()


def listening_to(searches, term):
    socket = FakeSocket()
    assert searches.subscribe(socket, term) == {"success": True, "term": term}
    return socket


def offer(searches, *texts, **fields):
    for text in texts:
        searches.offer(make_post(text=text, **fields))
    assert searches.idle.wait(10)


def test_each_visitor_is_sent_what_has_the_term(searches):
    tides, gulls, both = (listening_to(searches, term) for term in ("#tides", "gulls", "TIDES"))

    offer(searches, "the tides", "gulls over #tides", "crabs")

    assert tides.sent == ["gulls over #tides"]
    assert gulls.sent == ["gulls over #tides"]
    assert both.sent == ["the tides", "gulls over #tides"]


def test_hashtags_are_found_where_their_entities_are(searches):
    socket = listening_to(searches, "#tides")

    offer(searches, "Tides!", entities=[entity(0, 5)])

    assert socket.sent == ["Tides!"]


def test_another_term_takes_the_place_of_the_first(searches):
    socket = listening_to(searches, "tides")
    searches.subscribe(socket, "gulls")

    offer(searches, "tides", "gulls")

    assert socket.sent == ["gulls"]
    assert searches.terms == ["gulls"]


def test_stop_is_the_end_of_it(searches):
    socket = listening_to(searches, "tides")

    assert searches.unsubscribe(socket) == searches.unsubscribe(socket) == {"success": True}
    offer(searches, "tides")
    assert socket.sent == []
    assert (len(searches), searches.terms) == (0, [])


@pytest.mark.parametrize("term", [None, 5, ["tides"], {}, "", "  ", "x" * (TERM_SIZE + 1), "a\x00b"])
def test_what_is_no_term_is_refused_and_the_one_before_stays(searches, term):
    socket = listening_to(searches, "tides")

    answer = searches.subscribe(socket, term)

    assert answer["success"] is False and "term" in answer["message"]
    assert searches.terms == ["tides"]


def test_so_many_different_terms_and_no_more(searches):
    for number in range(MOST_TERMS):
        listening_to(searches, f"term{number}")

    assert searches.subscribe(FakeSocket(), "one more")["success"] is False
    listening_to(searches, "term7")


def test_who_listens_to_the_same_shares_a_term(searches):
    changes = []
    searches.on_terms = lambda: changes.append(searches.terms)
    one, other = listening_to(searches, "Tides"), listening_to(searches, "tides")
    searches.unsubscribe(one)
    searches.unsubscribe(other)

    assert changes == [["Tides"], []]


def test_a_post_that_comes_two_ways_is_sent_once(searches):
    socket = listening_to(searches, "tides")
    post = make_post(text="tides")

    searches.offer(post)
    searches.offer(post)
    assert searches.idle.wait(10)

    assert len(socket.sent) == 1


def test_a_visitor_is_sent_ten_at_once_and_then_one_a_second(searches, time):
    socket = listening_to(searches, "tides")
    offer(searches, *[f"tides {number}" for number in range(30)])
    assert len(socket.sent) == AT_ONCE

    time.time += 3
    offer(searches, *[f"more tides {number}" for number in range(30)])
    assert len(socket.sent) == AT_ONCE + 3

    time.time += 3600
    offer(searches, *[f"still tides {number}" for number in range(30)])
    assert len(socket.sent) == 2 * AT_ONCE + 3


def test_one_who_fails_is_no_trouble_for_the_next(searches, caplog):
    class Failing(FakeSocket):
        def send_volatile(self, name, arguments):
            raise ZeroDivisionError

    searches.subscribe(Failing(), "tides")
    good = listening_to(searches, "tides")
    gone = listening_to(searches, "tides")
    gone.is_disconnected = True

    offer(searches, "tides")

    assert (good.sent, gone.sent) == (["tides"], [])
    assert "ZeroDivisionError" in caplog.text


def test_something_else_on_the_channel_is_no_trouble(searches, caplog):
    socket = listening_to(searches, "tides")
    for nonsense in ({}, {"id": "nonsense", "source": "x", "text": None, "entities": []}, [], "text"):
        searches.offer(nonsense)
    offer(searches, "tides")

    assert socket.sent == ["tides"]
    assert caplog.text.count("is no post") == 4


def published(event, data):
    return Published(
        channel="tweets", data_json=json.dumps(data), event=event, event_id=None, cursor="e:1", time=0.0
    )


def test_it_hears_posts_and_what_becomes_of_them_and_nothing_else_on_the_walls_channel(searches):
    tides, gulls = listening_to(searches, "tides"), listening_to(searches, "gulls")
    post = {"id": "1", "source": "x", "text": "tides", "entities": []}
    gone = {"id": "1", "source": "x"}
    events = (("tweet", post), ("tweet_changed", post), ("tweet_removed", gone), (None, post))

    for event in events:
        searches.published(published(*event))
    assert searches.idle.wait(10)

    assert tides.sent == ["tides", ("tweet_changed", post), ("tweet_removed", gone)]
    assert gulls.sent == [("tweet_removed", gone)]


def test_a_post_that_is_taken_back_is_told_to_a_visitor_who_has_had_enough(searches):
    socket = listening_to(searches, "tides")
    offer(searches, *[f"tides {number}" for number in range(30)])

    searches.published(published("tweet_removed", {"id": "1", "source": "x"}))
    assert searches.idle.wait(10)

    assert socket.sent[-1][0] == "tweet_removed"


def test_without_a_server_nobody_answers():
    assert search_subscriptions.listen(FakeSocket(), None) is None
    assert search_subscriptions.leave(FakeSocket()) is None
