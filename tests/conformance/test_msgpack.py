"""What socket.io-client says with socket.io-msgpack-parser, where SOCKETIO_MSGPACK lets it."""

from datetime import UTC, datetime

import pytest

from tests.conformance.clients import conformance_server
from tests.live import wait_for

pytestmark = pytest.mark.node

BYTES = bytes(range(256))
MANY = [{"n": number, "text": "é" * 20, "bytes": b"\x00\x1e"} for number in range(2000)]


@pytest.fixture(scope="module")
def server():
    with conformance_server(NAMESPACES=["/", "/admin"], SOCKETIO_MSGPACK=True) as server:
        yield server


@pytest.fixture
def client(node, server, transports):
    client = node.open(
        server, transports=transports, parser="msgpack", auth={"greet": {"n": 1}}, stock=["stock"]
    )
    client.wait("connect")
    if len(transports) == 2:
        client.wait("upgrade")
    yield client
    client.tell("disconnect")


def test_events_bytes_and_acknowledgements_go_both_ways(client):
    assert client.ask("echo", 1, -1.5, "ü", None, [True, {"deep": [{"er": BYTES}]}], BYTES) == [
        *(1, -1.5, "ü", None),
        [True, {"deep": [{"er": BYTES}]}],
        BYTES,
    ]
    assert client.ask("echo", *MANY) == MANY  # read in pieces
    assert client.ask("call", "stock", b"bytes") == [b"bytes"]
    wait_for(lambda: client.heard("greeting") == [{"n": 1}], "what its connect receiver sent")
    assert client.ask("echo") == []


def test_what_json_has_no_type_for_is_what_json_makes_of_it(node, client):
    """As receivers are given it from a client without the parser."""
    assert client.ask("echo", {"$date": 1_580_548_000_123}, {"$nan": 1}, {"$undefined": 1}) == [
        datetime.fromtimestamp(1_580_548_000.123, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        *(None, None),
    ]
    assert client.ask("echo", {"$view": [1, 2, 3, 4, 5, 6, 7, 8]}) == [bytes(range(1, 9))]


def test_a_broadcast_reaches_clients_with_and_without_the_parser(node, server, client):
    other = node.open(server, transports=["websocket"])
    other.wait("connect")
    for one in (client, other):
        assert "cursor" in one.ask("subscribe", "files")[0]

    assert other.ask("file for all", {"of": BYTES}, 2**70) == [2]
    assert client.ask("file for all", {"of": b""}, "last") == [2]

    for one in (client, other):
        wait_for(lambda one=one: len(one.heard("file")) == 2, "both")
        assert one.heard("file") == [{"of": BYTES}, {"of": b""}]
    other.tell("disconnect")


def test_one_that_was_cut_off_is_recovered_and_gets_what_it_missed(node, server, client):
    other = node.open(server, transports=["websocket"])
    client.ask("subscribe", "room")
    other.ask("publish", "room", [1])
    client.wait_heard("news", 1)

    other.ask("cut", client.wait("connect")["id"])
    other.ask("publish", "room", [2, 3])

    assert client.wait("connect", 2)["recovered"] is True
    assert client.wait_heard("news", 3) == [1, 2, 3]
    other.tell("disconnect")


def test_namespaces_and_refusals(node, server, transports):
    admin = node.open(server, "/admin", transports=transports, parser="msgpack")
    nowhere = node.open(server, "/nowhere", transports=transports, parser="msgpack")
    refused = node.open(server, transports=transports, parser="msgpack", auth={"refuse": {"code": 7}})

    admin.wait("connect")
    assert admin.ask("echo", 1) == [1]
    assert nowhere.wait("connect_error")["message"] == "Invalid namespace"
    assert refused.wait("connect_error") == {"message": "refused", "data": {"code": 7}}
    admin.emit("kick", admin.wait("connect")["id"])
    assert admin.wait("disconnect") == "io server disconnect"
