"""The servers of one machine: the first is the hub, the others join it, and all of them have one order."""

import json
import os
import socket
import struct
import time
from contextlib import contextmanager

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Count, Delete, Publish, Retract, SendTo
from realtime_wall.brokers.entry import Deleted
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.local.local_link import LocalLink
from realtime_wall.brokers.member import Broker
from realtime_wall.brokers.node_id import new_address
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.message import Binary
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from realtime_wall.errors import NoSocket, PublishFailed
from tests.live import wait_for


class Server:
    """What a node is to its broker, written down."""

    def __init__(self, config, listeners=0):
        self.entries = []
        self.fresh_starts = 0
        self.listeners = listeners
        self.is_full = False
        rules = Rules({})
        link = LocalLink(config, rules, new_address(), self._open_bus)
        self._config = config
        self.broker = Broker(rules, 100, link, self)
        self.broker.handlers.add(Count, lambda command: Receipt(1, self.listeners))
        self.broker.join()

    def _open_bus(self, hub):
        bus = BusServer(lambda command: router.perform(self.broker.calls, command), self._config, hub=hub)
        bus.start()
        return bus.stop

    def entered(self, entry):
        self.entries.append(entry.item)
        if entry.counted:
            self.broker.report(entry, Receipt(1, self.listeners))

    def wait_for_room(self):
        pass

    def gone(self, address):
        pass

    def start_afresh(self, before):
        self.fresh_starts += 1

    def end(self):
        raise AssertionError("nobody told it to end")

    def publish(self, data, channel="news", **more):
        return router.perform(self.broker.calls, Publish(channel=channel, data_json=json.dumps(data), **more))

    def kept(self, channel="news"):
        return [json.loads(one.data_json) for one in self.broker.newest(channel, 99)]


@pytest.fixture
def config(tmp_path):
    return Config(runtime_dir=str(tmp_path), history_channels=100)


@contextmanager
def running(config, count=2, listeners=0):
    servers = []
    try:
        for _ in range(count):
            servers.append(Server(config, listeners))
        wait_for(lambda: all(len(one.broker.link.servers()) == count for one in servers))
        yield servers
    finally:
        for server in reversed(servers):
            server.broker.leave()


def test_all_hear_everything_in_one_order(config):
    with running(config, 3) as servers:

        def publish(server):
            for number in range(50):
                server.publish(number, counted=False)

        gevent.joinall([gevent.spawn(publish, one) for one in servers], raise_error=True)

        wait_for(lambda: all(len(one.entries) == 150 for one in servers))
        assert servers[0].entries == servers[1].entries == servers[2].entries
        assert [one.position.offset for one in servers[1].entries] == list(range(1, 151))


def test_who_publishes_has_it_in_its_own_log_when_it_is_told_the_position(config):
    with running(config) as (_, second):
        position = second.publish("hello").position

        assert str(second.broker.top) == position
        assert second.kept() == ["hello"]


def test_a_server_that_comes_later_knows_what_is_kept(config):
    with running(config) as (first, second):
        begin = first.broker.top
        for number in range(3):
            second.publish(number, event="tick", event_id=str(number), exclude="somebody")
        second.publish(3, binary=Binary('{"_placeholder":true,"num":0}', (b"\0\xff",)))
        second.publish("other", channel="sport")
        third = Server(config)

        assert third.broker.top == first.broker.top
        assert third.broker.since("news", begin) == first.broker.since("news", begin)
        assert list(third.broker.channels()) == ["news", "sport"]
        assert third.broker.totals() == (5, 5)
        third.broker.leave()


@given(st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_a_copy_is_like_its_original(tmp_path_factory, data):
    config = Config(runtime_dir=str(tmp_path_factory.mktemp("hub")), history_channels=2)
    with running(config) as (first, second):
        for number in range(data.draw(st.integers(1, 15))):
            server = data.draw(st.sampled_from((first, second)))
            channel = data.draw(st.sampled_from("abc"))
            match data.draw(st.sampled_from(("publish", "publish", "publish", "retract", "delete"))):
                case "publish":
                    server.publish(number, channel, event_id=str(number))
                case "retract":
                    which = str(data.draw(st.integers(0, number)))
                    router.perform(server.broker.calls, Retract(channel=channel, message_ref=which))
                case "delete":
                    router.perform(server.broker.calls, Delete(channel=channel))
        wait_for(lambda: first.broker.top == second.broker.top)
        late = Server(config)
        for copy in (second, late):
            assert numbers_in(copy) == numbers_in(first)
            for channel in "abc":
                assert copy.broker.newest(channel, 99) == first.broker.newest(channel, 99)
                assert copy.broker.published(channel) == first.broker.published(channel)
        late.broker.leave()


def numbers_in(server):
    """The number of the last message, of each channel and of those that were forgotten."""
    image = server.broker.log.image(time.monotonic())
    return {getattr(one, "channel", None): one.number for one in image}


def test_a_receipt_counts_all_servers(config):
    with running(config, 3, listeners=7) as servers:
        receipt = servers[1].publish("hello", wanted=True)

        assert (receipt.processes, receipt.sockets) == (3, 21)


def test_a_receipt_does_not_wait_for_a_server_that_leaves_meanwhile(config):
    with running(config, 3, listeners=1) as (first, second, third):
        third.broker.report = lambda *_: gevent.spawn(third.broker.leave)

        receipt = second.publish("hello")

        assert (receipt.processes, receipt.sockets) == (2, 2)
        assert len(first.entries) == 1


def test_nobody_on_any_server_is_nobody(config):
    with running(config) as (first, second):
        with pytest.raises(NoSocket):
            second.publish("hello", wanted=True)
        first.listeners = 1
        assert second.publish("hello", wanted=True).sockets == 1


def test_said_twice_with_one_key_it_is_published_once(config):
    with running(config) as (first, second):
        position = first.publish("hello", idempotency_key="a").position

        assert second.publish("hello", idempotency_key="a").position == position
        assert second.publish("hello", channel="sport", idempotency_key="a").position != position
        assert first.kept() == ["hello"]


def test_what_is_not_logged_reaches_all_and_moves_nothing(config):
    with running(config) as (first, second):
        before = second.broker.top

        second.publish("hello", volatile=True)

        assert [one.data_json for one in first.entries] == [one.data_json for one in second.entries]
        assert first.entries[0].is_volatile
        assert second.broker.top == before


def test_a_channel_that_is_deleted_is_deleted_everywhere(config):
    with running(config) as (first, second):
        first.publish("hello")
        router.perform(second.broker.calls, Delete(channel="news", notice="Goodbye"))

        for server in (first, second):
            assert isinstance(server.entries[-1], Deleted)
            assert server.entries[-1].notice == "Goodbye"
            assert server.kept() == []


def test_when_the_hub_ends_another_takes_its_place_in_a_new_epoch(config):
    with running(config, 3) as (first, second, third):
        first.publish("before")
        epoch = second.broker.top.epoch
        first.broker.leave()

        wait_for(lambda: len(second.broker.link.servers()) == 2 and len(third.broker.link.servers()) == 2)

        assert second.broker.top.epoch == third.broker.top.epoch != epoch
        assert (second.fresh_starts, third.fresh_starts) == (1, 1)
        second.publish("after")
        wait_for(lambda: third.kept() == ["before", "after"])
        assert third.broker.newest("news", 2) == second.broker.newest("news", 2)


def test_what_waits_to_be_confirmed_by_a_hub_that_ends_is_an_error(config):
    with running(config) as (first, second):
        hub = first.broker.link._link
        hub.sequence = lambda proposal: gevent.sleep(60)
        publisher = gevent.spawn(second.publish, "hello")
        publisher.link_exception(lambda _: None)
        gevent.idle()
        first.broker.leave()

        publisher.join(10)
        assert "did not confirm" in str(publisher.exception)


def test_a_client_may_be_ahead_of_a_server_for_a_moment(config):
    with running(config) as (first, second):
        original = second.broker.entry
        held = []
        second.broker.entry = held.append
        position = first.publish("hello", counted=False).position
        wait_for(lambda: held)
        waiting = gevent.spawn(second.broker.wait_for, Position.parse(position), 10)
        gevent.idle()
        assert not waiting.ready()
        original(held[0])
        waiting.join(5)
        assert waiting.ready()


@pytest.mark.parametrize(
    "rubbish", [b"\n", b"[]\n", b"{}\n", b'{"proposal": 1}\n', b'{"to": []}\n', b"\xff\n"]
)
def test_rubbish_of_a_member_hurts_nobody(config, rubbish):
    with running(config) as (first, second):
        path = runtime_dir.project_dir(config) / f"{os.getpid()}.sock"
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(path))
            stranger.sendall(b'{"verb": "Join", "address": "stranger"}\n' + rubbish)
            proposal = {"verb": "Publish", "channel": "news", "data_json": '"still here"'}
            line = json.dumps({"proposal": 1, "key": "k", "counted": False, "command": proposal})
            stranger.sendall(line.encode() + b"\n")
            wait_for(lambda: second.kept() == ["still here"])
        wait_for(lambda: len(first.broker.link.servers()) == 2)


def test_a_draft_that_the_hub_does_not_take_is_an_error_at_once(config):
    with running(config) as (_, second), pytest.raises(PublishFailed, match="did not take it"):
        second.publish("hello", binary=Binary("1", (b"no place for it",)))


def test_a_server_that_does_not_read_is_cut_off(config, monkeypatch):
    monkeypatch.setattr("realtime_wall.brokers.local.hub_client.LIMIT", 1_000_000)
    with running(config) as (first, second):
        path = runtime_dir.project_dir(config) / f"{os.getpid()}.sock"
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(str(path))
            deaf.sendall(b'{"verb": "Join", "address": "deaf_one"}\n')
            wait_for(lambda: len(first.broker.link.servers()) == 3)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for _ in range(40):
                second.publish("x" * 100_000, counted=False)
            wait_for(lambda: len(first.broker.link.servers()) == 2)
            assert len(second.entries) == 40


def test_who_has_gone_on_at_another_server_is_found_there(config):
    with running(config, 3) as (first, second, third):
        asked = []

        def answer(server, has_it):
            def answer(request):
                asked.append(server)
                if not has_it:
                    raise NoSocket("not here")
                return Receipt(1, 1)

            return answer

        for server in (first, second, third):
            server.broker.handlers.add(SendTo, answer(server, server is third))
        command = SendTo(session_id=f"{first.broker.address}.x", data_json="1")
        assert router.perform(second.broker.calls, command).sockets == 1
        assert asked == [second, first, third]

        third.broker.handlers.add(SendTo, answer(third, False))
        with pytest.raises(NoSocket, match="session ID"):
            router.perform(second.broker.calls, command)
        with pytest.raises(NoSocket, match="session ID"):
            router.perform(second.broker.calls, SendTo(session_id="nobody", data_json="1"))
        assert asked[6:] == [second]  # no server owns it
