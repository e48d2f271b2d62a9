"""The figures of a server as Prometheus reads them, judged by Prometheus's own parser."""

import json
import re

import pytest
from django.db import ConnectionHandler
from prometheus_client.parser import text_string_to_metric_families

from realtime_wall import broadcast_channel, publish
from realtime_wall.node.introspection import metrics
from realtime_wall.node.introspection.metrics import METRICS, OF_RECEIVERS, PREFIX
from realtime_wall.signals import socket_client_message
from realtime_wall.sockets.dispatch import lifecycle, receiver_figures, receivers
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import ROOT

NAMES = {"server_info", *(metric.name for metric in METRICS), *OF_RECEIVERS}


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(receiver_figures, "figures", {})


def samples(*servers):
    return {
        (sample.name.removeprefix(PREFIX), sample.labels.get("receiver")): sample.value
        for family in text_string_to_metric_families(metrics.as_text(servers))
        for sample in family.samples
    }


def test_a_server_counts_what_it_does():
    with running_node() as node:
        clients = [RecordingTransport(node) for _ in range(2)]
        for client in clients:
            client.socket.subscribe("news")
        publish("news", 1)
        publish("news", 2)
        broadcast_channel(3, "news")  # returns when all of it is delivered
        found = samples(metrics.of_node(node))

    assert found["sockets", None] == 2
    assert found["subscriptions", None] == 2
    assert found["channels", None] >= 1
    assert found["published_messages_total", None] == 3
    assert found["stored_messages", None] == 3
    assert found["deliveries_total", None] == 6


def test_a_receiver_is_known_by_its_name_its_time_and_its_failures():
    def good(socket, request, message):
        return 1

    def bad(socket, request, message):
        raise ValueError

    with no_receivers(), running_node() as node:
        client = RecordingTransport(node)
        for receiver in (good, bad):
            socket_client_message.connect(receiver)
        for _ in range(2):
            receivers.run(socket_client_message, client.socket, message="hi")
        found = samples(metrics.of_node(node))
    name = f"{__name__}.{good.__qualname__}"

    assert found["receiver_calls_total", name] == 2
    assert found["receiver_failures_total", name] == 0
    assert found["receiver_failures_total", name.replace("good", "bad")] == 2
    assert found["receiver_seconds_total", name] > 0


def test_database_connections_are_counted_by_receiver(tmp_path, monkeypatch):
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}}
    opened = ConnectionHandler(databases)
    monkeypatch.setattr(receivers, "connections", opened)
    while_it_runs = []

    def thrifty(socket, **_):
        """Asks no database."""

    def asking(socket, **_):
        opened["default"].ensure_connection()
        while_it_runs.append(of("asking"))

    def of(who):
        found, name = (
            samples(metrics.of_node(node)),
            f"{__name__}.{asking.__qualname__}".replace("asking", who),
        )
        return [found.get((f"receiver_connections{kind}", name)) for kind in ("_total", "")]

    with no_receivers(), running_node() as node:
        client = RecordingTransport(node)
        for receiver in (thrifty, asking):
            socket_client_message.connect(receiver)
        for _ in range(2):
            lifecycle.message(client.session, "hi")
            assert node.pool.wait_until_idle(10)

        assert (of("asking"), of("thrifty")) == ([2, 0], [0, 0])
    assert while_it_runs == [[1, 1], [2, 1]]


def test_receivers_without_end_are_not_all_kept(monkeypatch):
    monkeypatch.setattr(receiver_figures, "MOST", 1)

    for number in range(3):
        function = eval("lambda: None")
        function.__qualname__ = f"made_{number}"
        receiver_figures.note(function, 0.1, False)

    assert len(receiver_figures.figures) == 1


def test_servers_stand_side_by_side_and_a_name_cannot_break_a_line():
    one = {
        "server": "b",
        "hostname": 'h"\n',
        "pid": 1,
        "values": {"sockets": 1},
        "receivers": {'a\\"b': [1, 0, 0.5]},
    }
    other = {"server": "a", "hostname": "h", "pid": 2, "values": {"sockets": 2}, "receivers": {}}

    families = {
        family.name: family for family in text_string_to_metric_families(metrics.as_text([one, other]))
    }

    sockets = families[f"{PREFIX}sockets"]
    assert (sockets.type, [(one.labels, one.value) for one in sockets.samples]) == (
        "gauge",
        [({"server": "a"}, 2), ({"server": "b"}, 1)],
    )
    assert families[f"{PREFIX}server_info"].samples[1].labels["hostname"] == 'h"\n'
    calls = families[f"{PREFIX}receiver_calls"]
    assert (calls.type, calls.samples[0].labels["receiver"]) == ("counter", 'a\\"b')


def test_every_name_is_documented_and_no_other():
    page = (ROOT / "docs/reference/metrics.rst").read_text()

    assert set(re.findall(r"^``([a-z_]+)``  ", page, re.M)) == NAMES


def test_the_dashboard_asks_for_what_there_is():
    board = json.loads((ROOT / "docs/howto/deploy/grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]

    named = {name for text in asked for name in re.findall(rf"{PREFIX}(\w+)", text)}
    assert named == NAMES
    for text in asked:
        for name in re.findall(rf"{PREFIX}(\w+)", text):
            assert (f"rate({PREFIX}{name}" in text) is name.endswith("_total"), text
