import pytest

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.node.fan_out import Encoded
from realtime_wall.wall.live_search import search_subscriptions
from realtime_wall.wall.live_search.search_subscriptions import AT_ONCE, MOST_TERMS, TERM_SIZE, Listeners
from realtime_wall.wire.connection import QUEUED
from tests.wall.posts import entity, make_post


class FakeSocket:
    """Remembers the ids that it was sent."""

    def __init__(self):
        self.sent = []
        self.is_disconnected = False
        self._session = self  # its own inside

    def send_volatile(self, name, arguments):
        self.sent.append(arguments.data_json if name == "tweet" else (name, arguments.data_json))


class Clock:
    time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def time():
    return Clock()


@pytest.fixture
def listeners(time):
    listeners = Listeners(time)
    listeners.start()
    yield listeners
    listeners.stop()


def listening_to(listeners, term):
    socket = FakeSocket()
    assert listeners.listen(socket, term) == {"success": True, "term": term}
    return socket


def offer(listeners, *texts, **fields):
    for text in texts:
        listeners.offer(make_post(text=text, **fields), text)
    assert listeners.idle.wait(10)


def test_each_visitor_is_sent_what_has_the_term(listeners):
    tides, gulls, both = (listening_to(listeners, term) for term in ("#tides", "gulls", "TIDES"))

    offer(listeners, "the tides", "gulls over #tides", "crabs")

    assert tides.sent == ["gulls over #tides"]
    assert gulls.sent == ["gulls over #tides"]
    assert both.sent == ["the tides", "gulls over #tides"]


def test_hashtags_are_found_where_their_entities_are(listeners):
    socket = listening_to(listeners, "#tides")

    offer(listeners, "Tides!", entities=[entity(0, 5)])

    assert socket.sent == ["Tides!"]


def test_another_term_takes_the_place_of_the_first(listeners):
    socket = listening_to(listeners, "tides")
    listeners.listen(socket, "gulls")

    offer(listeners, "tides", "gulls")

    assert socket.sent == ["gulls"]
    assert listeners.terms == ["gulls"]


def test_stop_is_the_end_of_it(listeners):
    socket = listening_to(listeners, "tides")

    assert listeners.leave(socket) == listeners.leave(socket) == {"success": True}
    offer(listeners, "tides")
    assert socket.sent == []
    assert (len(listeners), listeners.terms) == (0, [])


@pytest.mark.parametrize("term", [None, 5, ["tides"], {}, "", "  ", "x" * (TERM_SIZE + 1), "a\x00b"])
def test_what_is_no_term_is_refused_and_the_one_before_stays(listeners, term):
    socket = listening_to(listeners, "tides")

    answer = listeners.listen(socket, term)

    assert answer["success"] is False and "term" in answer["message"]
    assert listeners.terms == ["tides"]


def test_so_many_different_terms_and_no_more(listeners):
    for number in range(MOST_TERMS):
        listening_to(listeners, f"term{number}")

    assert listeners.listen(FakeSocket(), "one more")["success"] is False
    listening_to(listeners, "term7")


def test_who_listens_to_the_same_shares_a_term(listeners):
    changes = []
    listeners.on_terms = lambda: changes.append(listeners.terms)
    one, other = listening_to(listeners, "Tides"), listening_to(listeners, "tides")
    listeners.leave(one)
    listeners.leave(other)

    assert changes == [["Tides"], []]


def test_a_post_that_comes_two_ways_is_sent_once(listeners):
    socket = listening_to(listeners, "tides")
    post = make_post(text="tides")

    listeners.offer(post)
    listeners.offer(post)
    assert listeners.idle.wait(10)

    assert len(socket.sent) == 1


def test_a_visitor_is_sent_ten_at_once_and_then_one_a_second(listeners, time):
    socket = listening_to(listeners, "tides")
    offer(listeners, *[f"tides {number}" for number in range(30)])
    assert len(socket.sent) == AT_ONCE

    time.time += 3
    offer(listeners, *[f"more tides {number}" for number in range(30)])
    assert len(socket.sent) == AT_ONCE + 3

    time.time += 3600
    offer(listeners, *[f"still tides {number}" for number in range(30)])
    assert len(socket.sent) == 2 * AT_ONCE + 3


def test_one_who_fails_is_no_trouble_for_the_next(listeners, caplog):
    class Failing(FakeSocket):
        def send_volatile(self, name, arguments):
            raise ZeroDivisionError

    listeners.listen(Failing(), "tides")
    good = listening_to(listeners, "tides")
    gone = listening_to(listeners, "tides")
    gone.is_disconnected = True

    offer(listeners, "tides")

    assert (good.sent, gone.sent) == (["tides"], [])
    assert "ZeroDivisionError" in caplog.text


def test_something_else_on_the_channel_is_no_trouble(listeners, caplog):
    socket = listening_to(listeners, "tides")
    for nonsense in ({}, {"id": "nonsense", "source": "x", "text": None, "entities": []}, [], "text"):
        listeners.offer(nonsense, "")
    offer(listeners, "tides")

    assert socket.sent == ["tides"]
    assert caplog.text.count("is no post") == 4


def published(event, data_json):
    return Message(
        position=Position("e", 1), channel="tweets", number=1, time=0.0, event=event, data_json=data_json
    )


def test_it_hears_posts_and_what_becomes_of_them_and_nothing_else_on_the_walls_channel(listeners):
    tides, gulls = listening_to(listeners, "tides"), listening_to(listeners, "gulls")
    post = '{"id": "1", "source": "x", "text": "tides", "entities": []}'
    gone = '{"id": "1", "source": "x"}'
    events = (("tweet", post), ("tweet_changed", post), ("tweet_removed", gone), (None, post))

    assert listeners.deliver(Encoded([published(*event) for event in events])) is QUEUED
    assert listeners.idle.wait(10)

    assert tides.sent == [post, ("tweet_changed", post), ("tweet_removed", gone)]
    assert gulls.sent == [("tweet_removed", gone)]


def test_a_post_that_is_taken_back_is_told_to_a_visitor_who_has_had_enough(listeners):
    socket = listening_to(listeners, "tides")
    offer(listeners, *[f"tides {number}" for number in range(30)])

    listeners.deliver(Encoded([published("tweet_removed", '{"id": "1", "source": "x"}')]))
    assert listeners.idle.wait(10)

    assert socket.sent[-1][0] == "tweet_removed"


def test_without_a_server_nobody_answers():
    assert search_subscriptions.listen(FakeSocket(), None) is None
    assert search_subscriptions.leave(FakeSocket()) is None
