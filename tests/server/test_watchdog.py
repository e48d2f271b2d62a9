import gevent
import pytest
from gevent import monkey

from realtime_wall.server.watchdog import Watchdog
from tests.live import LiveServer, wait_for

BLOCKED = "the event loop is blocked:"


@pytest.fixture
def watchdog():
    watchdog = Watchdog(0.1)
    watchdog.start()
    yield watchdog
    watchdog.stop()


def told(caplog):
    """What was logged of blocks made here; pytest itself may block the loop on a busy machine."""
    messages = [record.getMessage() for record in caplog.records]
    return [message for message in messages if BLOCKED in message and "in block_the_loop" in message]


def block_the_loop(seconds):
    """Wait as C code does, without gevent knowing of it."""
    monkey.get_original("time", "sleep")(seconds)


def block_until_told(caplog):
    """However late the watchdog's thread has its turn; and longer, to hear whether it says it again."""
    count = len(told(caplog))
    for _ in range(200):
        block_the_loop(0.1)
        if len(told(caplog)) > count:
            break
    block_the_loop(0.3)


def test_whoever_blocks_the_loop_is_named(watchdog, caplog):
    block_until_told(caplog)

    (message,) = told(caplog)
    assert "in test_whoever_blocks_the_loop_is_named" in message


def test_each_block_is_told_once(watchdog, caplog):
    for _ in range(2):
        block_until_told(caplog)
        gevent.sleep(0.2)  # the loop beats once at least

    assert len(told(caplog)) == 2


def test_one_that_was_stopped_says_nothing(watchdog, caplog):
    watchdog.stop()

    block_the_loop(0.6)

    assert told(caplog) == []


def test_a_receiver_that_blocks_is_named_in_the_log():
    with LiveServer(settings={"SLOW_RECEIVER": 0.2}) as server, server.client() as client:
        client.ask("block", 1.0)

        server.wait_for_log(BLOCKED)
        wait_for(lambda: "in block" in server.output)
        assert "site_app/events.py" in server.output
