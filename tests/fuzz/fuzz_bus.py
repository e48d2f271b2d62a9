"""What processes of a machine, or servers of a cluster, send each other: it is done, or refused."""

import json

from realtime_wall.brokers.command_json import from_json, to_json
from realtime_wall.brokers.commands import Delete, Publish, Request, Retract, SendTo
from realtime_wall.brokers.entry import entry_from_json, entry_to_json
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.local.hub_connection import HubConnection
from realtime_wall.brokers.member import Broker
from realtime_wall.brokers.results import result_from_json, result_to_json
from realtime_wall.channels.log import Log
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from tests.fuzz.mutated import mutated

RULES = Rules({}, Config())
COMMANDS = [
    Publish(channel="news", data_json='"hello"', event="said", event_id="7", idempotency_key="k"),
    Retract(channel="news", message_ref="7"),
    Delete(channel="news"),
    SendTo(session_id="a" * 22, data_json='"hello"'),
]
ENTRY = {
    "c": "news",
    "d": '"hello"',
    "o": 7,
    "n": 1,
    "t": 1.5,
    "e": "said",
    "i": "7",
    "k": "k",
    "from": "abcdefgh",
}
ENTRY |= {"b": '["{}", "YQ=="]', "r": 3, "v": 1, "count": 1}
RESULT = {"receipt": {"processes": 1, "sockets": 2, "queued": 0, "dropped": 0, "position": "a:1"}}


class Owner:
    """The process of the hub, a server of another process, and the link of a broker: none does anything."""

    address = "abcdefgh"

    def __init__(self):
        self.lines = []

    def take_over(self, image=None):
        return Log("epoch", RULES.of, history_channels=100)

    def entry(self, entry): ...
    def receive(self, envelope): ...
    def gone(self, address): ...
    def sendall(self, data): ...
    def entered(self, entry): ...
    def wait_for_room(self): ...
    def send(self, address, envelope): ...
    def servers(self):
        return (self.address,)


def line(value) -> bytes:
    return json.dumps(value).encode() + b"\n"


def control_line(data: bytes) -> None:
    """A shell, cron, or another server: through the Unix socket."""
    bus = BusServer(lambda command: None, Config())
    read = bus._read(data if data[:1] > b"\xf0" else line(mutated(to_json(COMMANDS[len(data) % 4]), data)))
    assert isinstance(read, Request) or read["error"] == "Rejected"


def hub_line(data: bytes) -> None:
    hub = Hub(RULES, 100, "hubhubhu")
    hub.belong_to(Owner())
    connection = HubConnection(hub, Owner(), "abcdefgh")
    sample = {"proposal": 1, "key": "k", "counted": True, "command": to_json(COMMANDS[len(data) % 3])}
    if data[:1] < b"\x20":
        sample = {"to": "abcdefgh", "envelope": {"from": "a", "call": "b", "request": {}}}
    connection._received(data if data[:1] > b"\xf0" else line(mutated(sample, data[1:])))


def envelope(data: bytes) -> None:
    sample = {"from": "abcdefgh", "reply": "k", "result": RESULT}
    broker = Broker(RULES, 100, Owner(), Owner())
    value = json.loads(line(mutated(sample, data)))
    if isinstance(value, dict):  # as each link sees to
        value.pop("call", None)
        broker.receive({"reply": "k", **value})


def entry(data: bytes) -> None:
    try:
        found = entry_from_json(json.loads(line(mutated(ENTRY, data))), "epoch")
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # what the link is cut off for
    assert found.key is entry_to_json(found)["k"]


def result(data: bytes) -> None:
    try:
        result_to_json(result_from_json(json.loads(line(mutated(RESULT, data)))))
    except (KeyError, TypeError, ValueError, AttributeError):
        return


PARTS = [control_line, hub_line, envelope, entry, result]


def parse(data: bytes) -> None:
    PARTS[(data[:1] or b"\0")[0] % len(PARTS)](data[1:])
    try:
        from_json(mutated({"verb": "Publish", "channel": "a", "data_json": "1"}, data[1:]))
    except ValueError as problem:
        assert str(problem)
