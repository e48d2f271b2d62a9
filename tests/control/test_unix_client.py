"""The bus from outside: an answer that is none, and servers that are gone."""

import json
import socket
import threading

import pytest

from realtime_wall.brokers.command_json import to_json
from realtime_wall.brokers.commands import Publish, SendTo
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.config import Config
from realtime_wall.control import control_client, unix_client
from realtime_wall.errors import InvalidMessage, MessageTooBig, NoServer, NoSocket, PublishFailed

COMMAND = Publish(channel="news", data_json='"hello"')


class OddServer:
    """Answers one line to each connection, whatever was said."""

    def __init__(self, config, name, answer):
        self.path = runtime_dir.create(config) / f"{name}.sock"
        self.answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n"
        self.heard = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                line = connection.makefile("rb").readline()
                if not line:
                    return
                self.heard.append(json.loads(line))
                connection.sendall(self.answer)

    def stop(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
        self.thread.join()
        self.listener.close()


@pytest.fixture
def config(tmp_path):
    return Config(runtime_dir=str(tmp_path))


@pytest.fixture
def answering(config):
    servers = []

    def start(*answers):
        for answer in answers:
            servers.append(OddServer(config, len(servers), answer))
        return servers

    yield start
    for server in servers:
        server.stop()


def receipt(**fields):
    return {"receipt": {"processes": 1, **fields}}


NOBODY = {"error": "NoSocket", "message": "There are no clients."}


def test_without_a_server_it_says_at_once_where_it_looked(config):
    with pytest.raises(NoServer) as nobody:
        unix_client.perform(COMMAND, config)

    assert nobody.value.path == runtime_dir.project_dir(config)
    assert str(runtime_dir.project_dir(config)) in str(nobody.value)
    assert "start one with 'manage.py rungevent'" in str(nobody.value)


def test_the_command_goes_out_as_one_line_of_json(config, answering):
    (server,) = answering(receipt())

    unix_client.perform(COMMAND, config)

    assert server.heard == [to_json(COMMAND)]
    assert server.heard[0].items() >= {"verb": "Publish", "channel": "news", "data_json": '"hello"'}.items()


def test_nobody_anywhere_is_told_in_the_server_s_words(config, answering):
    answering(NOBODY)

    with pytest.raises(NoSocket, match=r"^There are no clients\.$") as nobody:
        unix_client.perform(SendTo(session_id="abc", data_json="1"), config)
    assert not isinstance(nobody.value, NoServer)


def test_a_supervisor_without_workers_is_no_server(config, answering):
    answering({"error": "NoServer", "message": "its workers are just starting"})

    with pytest.raises(NoServer):
        unix_client.perform(COMMAND, config)


@pytest.mark.parametrize("error", ["InvalidMessage", "MessageTooBig"])
def test_a_message_that_no_server_would_take_is_the_caller_s_mistake(config, answering, error):
    answering({"error": error, "message": "too long"})

    with pytest.raises(InvalidMessage, match="too long"):
        unix_client.perform(COMMAND, config)


def test_a_message_that_is_too_big_is_not_even_sent(config, answering):
    (server,) = answering(receipt(sockets=1))
    limit = config.message_size
    control_client.perform(Publish(channel="news", data_json="1" * limit), config)

    with pytest.raises(MessageTooBig) as refused:
        control_client.perform(Publish(channel="news", data_json="\u00e9" * (limit // 2) + "1"), config)

    assert (refused.value.size, refused.value.limit) == (limit + 1, limit)
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "Rejected", "message": "an unknown command"},
        {"error": "LookupError", "message": "the server failed; see its log"},
        {},
        [],
        "receipt",
        None,
        {"receipt": {"more": 1}},
        {"receipt": None},
        b"",
        b"hello\n",
        b"\xff\n",
        b'{"receipt": \n',
    ],
)
def test_an_answer_that_confirms_nothing_is_no_success(config, answering, answer):
    (server,) = answering(answer)

    with pytest.raises(PublishFailed, match=str(server.path)):
        unix_client.perform(COMMAND, config)


def test_what_a_killed_server_left_is_removed(config, answering):
    path = runtime_dir.create(config) / "-1.sock"  # it is tried first
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert path.exists()
    answering(receipt(sockets=1))

    assert unix_client.perform(COMMAND, config).sockets == 1

    assert not path.exists()


def test_a_server_that_is_stuck_is_not_waited_for_forever(config, monkeypatch):
    monkeypatch.setattr(unix_client, "TIMEOUT", 0.1)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(runtime_dir.create(config) / "1.sock"))
        stuck.listen()

        with pytest.raises(PublishFailed, match=r"1\.sock: the server did not confirm it \(timed out\)"):
            unix_client.perform(COMMAND, config)
