"""The bus from inside: what a server answers to whatever arrives on its socket."""

import contextlib
import json
import os
import socket
import stat
import tempfile

import gevent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_wall.brokers.command_json import to_json
from realtime_wall.brokers.commands import GetPosition, Publish
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.brokers.results import Receipt
from realtime_wall.config import Config
from realtime_wall.control import unix_client
from realtime_wall.control.unix_server import BusServer
from realtime_wall.errors import (
    InvalidMessage,
    MessageTooBig,
    NoServer,
    NoSocket,
    PublishFailed,
    UnsafeRuntimeDir,
)
from tests.brokers.local.test_runtime_dir import some_group

COMMAND = Publish(channel="news", data_json='"hello"')
LINE = json.dumps(to_json(COMMAND)).encode() + b"\n"


class Performer:
    """What a node does, without one: it notes the commands and answers or raises as it is told."""

    def __init__(self):
        self.commands = []
        self.outcome = Receipt(processes=1, sockets=3, position="e:1")

    def __call__(self, command):
        self.commands.append(command)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Bus:
    def __init__(self, path, **options):
        self.config = Config(runtime_dir=str(path), **options)
        self.performer = Performer()
        self.server = BusServer(self.performer, self.config)

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        connection.connect(str(self.server.path))
        return connection

    def say(self, data):
        """Everything that is answered to these bytes."""
        with self.connect() as connection:
            answers = []
            with contextlib.suppress(ConnectionError), connection.makefile("rb") as stream:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answers.extend(map(json.loads, stream))
            return answers

    def perform(self, command=COMMAND):
        return unix_client.perform(command, self.config)


@pytest.fixture
def bus(tmp_path):
    bus = Bus(tmp_path)
    bus.server.start()
    yield bus
    bus.server.stop()


def test_a_command_is_performed_and_its_receipt_returned(bus):
    assert bus.perform() == bus.performer.outcome
    assert bus.performer.commands == [COMMAND]


def test_several_commands_may_follow_each_other(bus):
    answers = bus.say(LINE + json.dumps(to_json(GetPosition())).encode() + b"\n")

    assert [answer["receipt"]["sockets"] for answer in answers] == [3, 3]
    assert bus.performer.commands == [COMMAND, GetPosition()]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (NoSocket("There are no clients."), NoSocket),
        (InvalidMessage("cannot be sent"), InvalidMessage),
        (MessageTooBig(2, 1), InvalidMessage),
    ],
)
def test_what_the_server_refuses_the_other_process_is_told(bus, raised, told):
    bus.performer.outcome = raised

    with pytest.raises(told) as refusal:
        bus.perform()

    assert str(refusal.value) == str(raised)


@pytest.mark.threat("S46")
def test_an_error_of_the_server_is_logged_there_and_told_without_details(bus, caplog):
    bus.performer.outcome = LookupError("the password is secret")

    with pytest.raises(PublishFailed, match="LookupError: the server failed; see its log"):
        bus.perform()

    assert "the password is secret" in caplog.text
    bus.performer.outcome = Receipt(1)
    assert bus.perform() == Receipt(1)


@pytest.mark.threat("S59")
def test_the_socket_is_for_this_user_only(bus):
    assert stat.S_IMODE(os.stat(bus.server.path).st_mode) == 0o600
    assert bus.server.path.name == f"{os.getpid()}.sock"


def test_a_group_is_let_in_when_told_so(tmp_path):
    group = some_group()
    bus = Bus(tmp_path, bus_group=group.gr_name)
    bus.server.start()
    try:
        found = os.stat(bus.server.path)
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, group.gr_gid)
        assert bus.perform() == bus.performer.outcome
    finally:
        bus.server.stop()


def test_what_an_earlier_process_of_our_number_left_is_replaced(bus, tmp_path):
    path = bus.server.path
    bus.server.stop()
    path.touch()

    bus.server.start()

    assert bus.perform() == bus.performer.outcome


def test_when_it_stops_its_socket_is_gone(bus):
    bus.server.stop()

    assert not bus.server.path.exists()
    with pytest.raises(NoServer):
        bus.perform()


def test_a_directory_that_is_open_to_others_stops_the_start(bus):
    bus.server.stop()
    bus.server.path.parent.chmod(0o777)

    with pytest.raises(UnsafeRuntimeDir):
        bus.server.start()


# Junk

JUNK = [
    b"\n",
    b"hello\n",
    b"\xff\xfe\n",
    b"\0" * 100 + b"\n",
    b"GET / HTTP/1.1\r\n",
    b"null\n",
    b"[]\n",
    b'{"verb": "Publish"\n',
    b'{"verb": "Shutdown"}\n',
    b'{"verb": "Publish", "channel": null, "data_json": "1"}\n',
    b'{"verb": "Publish", "channel": "a", "data_json": "NaN"}\n',
    b'{"verb": "Publish", "channel": "a", "data_json": "{"}\n',
    b'{"verb": "Publish", "channel": "a", "data_json": "\\"\\ud800\\""}\n',
    b'{"verb": "Publish", "channel": ["a"], "data_json": "1"}\n',
    b"[" * 100_000 + b"\n",
    b"1" * 10_000 + b"\n",
]


@pytest.mark.parametrize("data", JUNK, ids=range(len(JUNK)))
def test_junk_is_answered_counted_and_passed_over(bus, data):
    junk, command = bus.say(data + LINE)

    assert junk["error"] == "Rejected"
    assert 0 < len(junk["message"]) <= 200
    assert bus.server.rejected == 1
    assert command["receipt"]["sockets"] == 3
    assert bus.performer.commands == [COMMAND]


def test_a_line_without_an_end_is_cut_off(bus):
    too_long = bus.config.message_size * 6 + 20_000

    bus.say(b" " * too_long + LINE)

    assert bus.server.rejected == 1
    assert bus.performer.commands == []
    assert bus.perform() == bus.performer.outcome


def test_the_largest_message_goes_through_however_it_is_escaped(bus):
    size = bus.config.message_size
    command = Publish(channel="news", data_json='"' + "\u00e9" * (size // 2 - 2) + '"')

    assert bus.perform(command) == bus.performer.outcome
    assert bus.performer.commands == [command]


def test_one_that_says_nothing_holds_nobody_up(bus):
    with bus.connect(), bus.connect() as half:
        half.sendall(LINE[:10])
        assert bus.perform() == bus.performer.outcome


def test_one_that_leaves_in_the_middle_does_no_harm(bus):
    for _ in range(20):
        with bus.connect() as connection:
            connection.sendall(LINE * 100)
    gevent.sleep(0)

    assert bus.perform() == bus.performer.outcome


PIECES = st.sampled_from(
    [b"{", b"}", b'"', b"verb", b":", b"Publish", b",", b"\n", b"[", b"\\u", b"d800", LINE]
)


@pytest.mark.threat("S58")
@settings(max_examples=60)
@given(data=st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=3), max_size=30).map(b"".join))
def test_whatever_arrives_it_lives(fuzzed, data):
    fuzzed.say(data)

    assert fuzzed.perform() == fuzzed.performer.outcome


@pytest.fixture(scope="module")
def fuzzed():
    with tempfile.TemporaryDirectory(prefix="rw") as path:
        bus = Bus(path)
        bus.server.start()
        yield bus
        bus.server.stop()


def test_nobody_finds_the_socket_before_it_listens(tmp_path, monkeypatch):
    """Whoever did would be refused, take it for a dead server's, and delete it."""
    bus, chmod = Bus(tmp_path), os.chmod

    def look_and_chmod(path, mode):
        assert runtime_dir.sockets(bus.config) == []
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", look_and_chmod)
    bus.server.start()
    assert runtime_dir.sockets(bus.config) == [bus.server.path]
    bus.server.stop()
    assert list(bus.server.path.parent.iterdir()) == []
