"""What socket.io-client from npm and the server say to each other, over each transport."""

from base64 import b64encode

import pytest

from tests.live import wait_for

pytestmark = pytest.mark.node

BYTES = bytes(range(256))


@pytest.fixture
def client(node, server, transports):
    client = node.open(server, transports=transports)
    client.wait("connect")
    if len(transports) == 2:
        client.wait("upgrade")
    yield client
    client.tell("disconnect")


@pytest.fixture
def other(node, server, client):
    other = node.open(server, transports=["websocket"])
    other.wait("connect")
    yield other
    other.tell("disconnect")


def id_of(client):
    return client.wait("connect")["id"]


# The beginning


def test_a_client_connects_and_is_on_the_transport_that_it_wants(client, transports):
    assert client.transport == transports[-1]
    assert client.wait("connect")["recovered"] is False


def test_what_a_client_gives_to_be_let_in_reaches_the_connect_receivers(node, server, transports):
    client = node.open(server, transports=transports, auth={"greet": {"n": [1, "ü"]}})

    client.wait("event")
    assert client.heard("greeting") == [{"n": [1, "ü"]}]
    # Not before the client was let in.
    assert [what for what, _ in client.happened if what != "upgrade"][:2] == ["connect", "event"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"code": 7}, {"message": "refused", "data": {"code": 7}}),
        ("not today", {"message": "not today", "data": None}),
        (
            {"message": "not today", "code": 7},
            {"message": "not today", "data": {"message": "not today", "code": 7}},
        ),
        (None, {"message": "refused", "data": None}),
    ],
)
def test_a_client_that_is_refused_is_told_why_and_stays_away(node, server, transports, data, error):
    client = node.open(server, transports=transports, auth={"refuse": data})

    assert client.wait("connect_error") == error
    assert client.all("connect") == []


def test_only_the_namespaces_of_the_project_exist(node, server, transports):
    name = "/" + "n" * 120
    client = node.open(server, name, transports=transports)

    assert client.wait("connect_error") == {"message": "Invalid namespace", "data": None}


def test_namespaces_are_apart(node, server, client, transports):
    admin = node.open(server, "/admin", transports=transports)
    admin.wait("connect")

    assert admin.ask("everybody", "admins?") == client.ask("everybody", "all?")
    # A broadcast reaches everyone; what belongs to a visit does not.
    assert admin.ask("join", "room") is not None
    assert client.ask("channels") == [[]]
    assert admin.ask("channels") == [["room"]]


# Events


@pytest.mark.parametrize(
    "args",
    [[], [1], [None], ["ü", {"a": [True, 1.5]}], [[1, 2]], [0, "", False], ["x" * 100_000]],
    ids=lambda args: repr(args)[:20],
)
def test_arguments_arrive_as_they_were_sent_in_both_directions(client, args):
    client.emit("back", *args)
    wait_for(lambda: client.events, "the event")

    # Behind its arguments every event has the offset.
    (event,) = client.events
    assert event[1:-1] == args
    assert client.ask("echo", *args) == args


def test_bytes_arrive_as_bytes_in_events_and_in_acknowledgements(client):
    args = [{"file": BYTES, "name": "a"}, b"\0", [b"", {"n": BYTES}]]

    assert client.ask("echo", *args) == args
    client.emit("back", *args)
    wait_for(lambda: client.events, "the event")
    assert client.events[0][1:-1] == args


@pytest.mark.parametrize(("name", "value"), [("zero", 0), ("empty", ""), ("list", []), ("no", False)])
def test_what_a_receiver_returns_acknowledges_however_little_it_is(client, name, value):
    (answer,) = client.ask("give", name)

    assert answer == value
    assert type(answer) is type(value)


def test_a_receiver_that_fails_is_acknowledged_too(client):
    assert client.ask("fail") == [{"error": "failed"}]


def test_a_message_is_answered_and_acknowledged(client):
    assert client.ask("message", {"hello": 1}) == [None]
    assert client.heard("message") == ["{'hello': 1}"]


def test_the_server_asks_and_waits_for_the_answer(node, server, transports):
    client = node.open(
        server, transports=transports, answers={"question": ["yes", {"n": b"\1"}], "silent": []}
    )
    client.wait("connect")

    assert client.ask("call", "question", 1) == [["yes", {"n": b"\1"}]]
    client.emit("callback")
    wait_for(lambda: client.heard("answered"), "the answer")
    assert client.heard("answered") == [["yes", {"n": b"\1"}]]
    assert client.ask("call", "silent") == [[]]


def test_a_stock_handler_has_its_callback_behind_what_was_sent(node, server, control, transports):
    channel = f"stock {'+'.join(transports)}"
    client = node.open(server, transports=transports, stock=["stock"], auth={"join": [channel]})
    client.wait("connect")

    assert client.ask("call", "stock", 1) == [1]
    assert client.ask("call", "stock", b"bytes") == [b"bytes"]
    client.emit("callback with", "stock", "text")
    wait_for(lambda: client.heard("answered"), "the answer")
    assert client.heard("answered") == [["text"]]
    ((found, silent),) = client.ask("ask all with", "stock", channel, 10, {"n": 1})
    assert (found, silent) == ({id_of(client): {"n": 1}}, [])

    # It has an offset nevertheless, and goes on where it was.
    control.ask("cut", id_of(client))
    assert client.wait("connect", 2)["recovered"] is True


def test_an_event_that_nothing_receives_is_not_acknowledged(client):
    assert client.ask_in_time("misspelt", 1, milliseconds=200) == ["operation has timed out"]
    assert client.ask_in_time("echo", 1, milliseconds=10_000) == [None, 1]


@pytest.mark.parametrize("name", ["error", "gap", "welcome", "ack", "subscribe", "subscribed"])
def test_a_name_that_only_plain_clients_know_is_an_event_like_any_other(client, name):
    client.emit("emit", name, 1)

    wait_for(lambda: client.heard(name) == [1], "it")


@pytest.mark.parametrize(
    "name", ["error", "gap", "welcome", "ack", "subscribed", "unsubscribed", "retracted"]
)
def test_a_client_may_use_such_a_name_too(client, name):
    assert client.ask("what is received under", name) == [name]
    assert client.ask(name, 1) == [[name, 1]]


@pytest.mark.parametrize("name", ["connect", "connect_error", "disconnect", "disconnecting", "newListener"])
def test_a_name_that_no_client_can_hear_is_refused_where_it_is_sent(client, name):
    assert client.ask("reserved", name) == ["InvalidMessage"]
    assert client.ask("echo", "alive") == ["alive"]


# To others


def test_a_broadcast_reaches_the_others_and_what_is_for_everybody_its_sender_too(client, other):
    (reached,) = client.ask("others", {"n": 1}, 2)
    client.ask("everybody", "all")

    other.wait_heard("message", "all")
    client.wait_heard("message", "all")
    assert reached >= 1
    assert [event[:3] for event in other.events if event[0] == "news"] == [["news", {"n": 1}, 2]]
    assert client.heard("news") == []


def test_one_client_can_be_told_alone(client, other):
    assert client.ask("private", id_of(other), "psst") == [1]

    assert other.wait_heard("message", "psst") == ["psst"]
    assert client.heard("message") == []
    assert "no socket" in client.ask("private", "nobody", "psst")[0]


def test_a_channel_is_heard_by_those_who_are_in_it(client, other):
    (answer,) = other.ask("subscribe", "room 1")
    client.ask("room", "for the room", "room 1")
    other.wait_heard("message", "for the room")

    assert set(answer) == {"channel", "cursor"}
    assert other.ask("unsubscribe", "room 1") == [{"channel": "room 1"}]
    assert "error" in other.ask("unsubscribe", "room 1")[0]
    client.ask("publish", "room 1", ["unheard"])
    client.ask("everybody", "the end")
    other.wait_heard("message", "the end")
    assert other.heard("news") == []


def test_a_client_gets_what_a_channel_had_since_a_cursor_and_keeps_its_own_offset(client, other):
    (start,) = client.ask("subscribe", "room 2")
    client.ask("unsubscribe", "room 2")
    client.ask("publish", "room 2", [1, 2, 3])

    (answer,) = client.ask("subscribe", "room 2", start["cursor"])

    assert client.wait_heard("news", 3) == [1, 2, 3]
    assert answer["recovered"] is True
    # The last offset that it was given is not an older message's.
    (newest,) = client.ask("subscribe", "a quiet room")
    wait_for(lambda: client.all("event")[-1][-1] == f"{newest['cursor']}.1", "the newest offset")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["private 1"], "refused"),
        (["*"], "bad_channel"),
        ([], "bad_channel"),
        ([{"a": 1}], "bad_channel"),
        (["a", "nonsense"], "bad_since"),
        (["a", 5], "bad_since"),
    ],
)
def test_a_channel_that_a_client_may_not_hear_is_an_error(client, args, code):
    (answer,) = client.ask("subscribe", *args)

    assert (answer["error"], bool(answer["message"])) == (code, True)
    assert client.ask("channels") == [[]]


# The end


def test_a_client_that_the_server_disconnects_stays_away(client, other):
    other.emit("kick", id_of(client))

    assert client.wait("disconnect") == "io server disconnect"
    wait_for(
        lambda: other.ask("told", id_of(client)) == [["connected", "disconnected", "finished"]], "the end"
    )
    assert len(client.all("connect")) == 1


def test_it_may_come_back_when_it_wants_to_as_somebody_new(client, other):
    other.emit("kick", id_of(client))
    client.wait("disconnect")

    client.tell("connect")

    assert client.wait("connect", 2)["id"] != client.all("connect")[0]["id"]
    assert client.wait("connect", 2)["recovered"] is False
    assert client.ask("echo", 1) == [1]


def test_a_client_that_leaves_is_gone_at_once(client, other):
    client.tell("disconnect")

    wait_for(
        lambda: other.ask("told", id_of(client)) == [["connected", "disconnected", "finished"]], "the end"
    )


def test_a_client_of_an_older_protocol_is_told_so(server):
    reply = server.get("/socket.io/?EIO=3&transport=polling")

    assert reply.status == 400
    assert b"Engine.IO 3, this server 4" in reply.body


def test_a_broadcast_brings_bytes_as_bytes_and_to_a_plain_client_as_base64(client, other, control):
    for one in (client, other):
        assert "cursor" in one.ask("subscribe", "files")[0]
    control.subscribe("files")

    client.emit("file for all", {"of": BYTES}, b"two")

    for one in (client, other):
        wait_for(lambda one=one: one.heard("file"), "the file")
        (event,) = [event for event in one.events if event[0] == "file"]
        assert event[1:3] == [{"of": BYTES}, b"two"]
    told = control.read_until(lambda one: one["type"] == "file")
    assert told["message"] == [{"of": b64encode(BYTES).decode()}, b64encode(b"two").decode()]


def test_a_question_to_a_channel_gathers_what_each_client_answers(node, server, client, transports):
    answers = [["one"], [BYTES, 2], []]
    others = [node.open(server, transports=transports, answers={"where": answer}) for answer in answers]
    for one in (client, *others):
        assert "cursor" in one.ask("subscribe", "asked")[0]

    ((found, silent),) = client.ask("ask all", "where", "asked", 2)

    assert found == dict(zip(map(id_of, others), ["one", [BYTES, 2], None], strict=True))
    assert silent == [id_of(client)]
    for one in others:
        one.tell("disconnect")
