import gevent
import pytest

from realtime_wall.wall.pages import card_list as module
from realtime_wall.wall.pages.card_list import cards
from tests.fakes import running_node
from tests.wall.posts import make_post


@pytest.fixture
def others():
    """How often others have had a turn."""
    turns = []

    def work():
        while True:
            turns.append(1)
            gevent.sleep(0)

    greenlet = gevent.spawn(work)
    gevent.sleep(0)
    turns.clear()
    yield turns
    greenlet.kill()


def posts(count):
    return [make_post() for _ in range(count)]


def test_others_have_turns_between_the_cards_of_a_page_in_a_server(others, monkeypatch):
    monkeypatch.setattr(module, "TURN", -1.0)
    with running_node():
        made = cards(posts(5))

    assert len(made) == 5
    assert 'data-key="' in made[0]
    assert len(others) >= 5


def test_elsewhere_nobody_waits_for_a_turn(others, monkeypatch):
    monkeypatch.setattr(module, "TURN", -1.0)

    assert len(cards(posts(5))) == 5
    assert not others
