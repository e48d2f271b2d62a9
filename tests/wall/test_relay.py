import os

import gevent
import pytest
from gevent.server import StreamServer

from realtime_wall.brokers import runtime_dir
from realtime_wall.brokers.bus_server import BusServer
from realtime_wall.brokers.command import Receipt
from realtime_wall.config import Config
from realtime_wall.wall import relay as relay_module
from realtime_wall.wall.relay import Relay
from tests.wall.fakes import DEADLINE


class OtherServer(BusServer):
    """The bus of a server in another process, as far as anybody can tell."""

    def __init__(self, config, directory, name):
        self.heard = []
        super().__init__(self._hear, config)
        self.path = directory / f"{name}.sock"
        listener = gevent.socket.socket(gevent.socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen(8)
        self._server = StreamServer(listener, self._serve)
        self._server.start()

    def _hear(self, command):
        self.heard.append((command.channel, command.event, command.data_json))
        return Receipt(processes=1)


@pytest.fixture
def config(tmp_path):
    tmp_path.chmod(0o700)
    return Config(runtime_dir=str(tmp_path))


@pytest.fixture
def directory(config):
    return runtime_dir.create(config)


@pytest.fixture
def relay(config, publisher, monkeypatch):
    monkeypatch.setattr(relay_module, "publish_here", publisher)
    monkeypatch.setattr(relay_module, "LOOK_EVERY", 0.0)
    relay = Relay(config)
    yield relay
    relay.stop()


def tell(relay, number):
    relay.publish("tweets", {"id": str(number)}, event="tweet", event_id=str(number))


def wait_until(condition):
    with gevent.Timeout(DEADLINE):
        while not condition():
            gevent.sleep(0.005)


def test_every_server_is_told_once_and_in_order(relay, config, directory, publisher):
    one, other = (OtherServer(config, directory, name) for name in (1, 2))
    for number in range(300):
        tell(relay, number)
    wait_until(lambda: len(one.heard) == len(other.heard) == 300)

    assert publisher.ids == [str(number) for number in range(300)]
    assert one.heard == [("tweets", "tweet", f'{{"id":"{number}"}}') for number in range(300)]
    one.stop(), other.stop()


def test_one_that_comes_later_hears_from_then_on(relay, config, directory):
    tell(relay, 1)
    late = OtherServer(config, directory, 1)
    tell(relay, 2)
    wait_until(lambda: late.heard)

    assert [data for *_, data in late.heard] == ['{"id":"2"}']
    late.stop()


def test_one_that_was_killed_is_forgotten_without_a_word(relay, config, directory, caplog):
    killed, living = OtherServer(config, directory, 1), OtherServer(config, directory, 2)
    killed._server.stop()
    tell(relay, 1)
    wait_until(lambda: living.heard)
    wait_until(lambda: not killed.path.exists())
    tell(relay, 2)

    assert len(relay._others) == 1
    assert caplog.records == []
    living.stop()


def test_one_that_does_not_answer_holds_up_nobody(relay, config, directory, caplog, monkeypatch):
    monkeypatch.setattr(relay_module, "TIMEOUT", 0.05)
    stuck, living = OtherServer(config, directory, 1), OtherServer(config, directory, 2)
    stuck._server.set_handle(lambda connection, address: gevent.sleep(60))
    for number in range(5):
        tell(relay, number)
    wait_until(lambda: len(living.heard) == 5)
    wait_until(lambda: "may have missed posts" in caplog.text)

    assert relay._others
    stuck.stop(), living.stop()


def test_the_own_server_is_not_told_twice(relay, config, directory, publisher):
    own = OtherServer(config, directory, os.getpid())
    tell(relay, 1)
    gevent.sleep(0.02)

    assert own.heard == []
    assert publisher.ids == ["1"]
    own.stop()
