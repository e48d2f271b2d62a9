import json
from datetime import UTC, date, datetime
from decimal import Decimal
from time import monotonic
from uuid import UUID

import gevent
import pytest
from django.test import override_settings
from django.utils.translation import gettext_lazy

import realtime_wall
from realtime_wall import api
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidChannel, InvalidMessage, MessageTooBig, NoServer, NoSocket
from realtime_wall.protocol.plain import RESERVED
from realtime_wall.sockets.dispatch import lifecycle
from tests.fakes import RecordingTransport, running_node
from tests.live import wait_for


@pytest.fixture
def node():
    with running_node(message_size=1000) as node:
        yield node


@pytest.fixture
def clients(node):
    clients = [RecordingTransport(node) for _ in range(3)]
    clients[0].socket.subscribe("room")
    return clients


# Each verb, as a user who wants to say one thing calls it.
VERBS = {
    "broadcast": lambda data: api.broadcast(data),
    "broadcast_channel": lambda data: api.broadcast_channel(data, "room"),
    "broadcast_emit": lambda data: api.broadcast_emit("news", data),
    "broadcast_emit to a channel": lambda data: api.broadcast_emit("news", data, channel="room"),
    "publish": lambda data: api.publish("room", data),
    "publish an event": lambda data: api.publish("room", data, event="news"),
}


def each_verb(*names):
    chosen = {name: VERBS[name] for name in names or VERBS}
    return pytest.mark.parametrize("verb", chosen.values(), ids=chosen)


def heard(client):
    return [(one.channel, one.event, json.loads(one.data_json)) for one in client.heard]


# Whom each verb reaches


def test_broadcast_reaches_everybody(clients):
    receipt = api.broadcast({"n": 1})

    assert [heard(client) for client in clients] == [[(EVERYONE, None, {"n": 1})]] * 3
    assert receipt
    assert (receipt.processes, receipt.sockets, receipt.queued, receipt.dropped) == (1, 3, 0, 0)


def test_broadcast_channel_reaches_those_on_it(clients):
    receipt = api.broadcast_channel("hi", "room")

    assert [heard(client) for client in clients] == [[("room", None, "hi")], [], []]
    assert receipt.sockets == 1


def test_broadcast_emit_reaches_everybody_or_a_channel(clients):
    assert api.broadcast_emit("news", 1, 2).sockets == 3
    assert api.broadcast_emit("news").sockets == 3
    assert api.broadcast_emit("more", 0, channel="room").sockets == 1

    for_all = [(EVERYONE, "news", [1, 2]), (EVERYONE, "news", None)]
    assert [heard(client) for client in clients] == [[*for_all, ("room", "more", 0)], for_all, for_all]


def test_send_reaches_one(clients):
    receipt = api.send(clients[1].socket.session.session_id, {"n": 1})

    assert [client.sent for client in clients] == [[], [(None, {"n": 1}, None)], []]
    assert (receipt.sockets, receipt.position) == (1, None)


def test_publish_returns_where_the_message_is_in_the_log(node, clients):
    first = api.publish("room", {"n": 1}, event="news", event_id="id-1")
    second = api.publish("an empty room", None)

    assert isinstance(first, Position)
    assert (second.epoch, second.offset) == (first.epoch, first.offset + 1)
    (message,) = node.broker.since("room", Position(first.epoch, 0))
    assert (message.event, message.event_id, message.position) == ("news", "id-1", first)


# Nobody there


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        (lambda: api.broadcast("hi"), "There are no clients."),
        (lambda: api.broadcast_emit("news", "hi"), "There are no clients."),
        (lambda: api.broadcast_channel("hi", "attic"), "There are no clients on the channel: attic"),
        (lambda: api.broadcast_emit("news", channel="attic"), "There are no clients on the channel: attic"),
        (lambda: api.send("gone", "hi"), "There is no socket with the session ID: gone"),
    ],
)
def test_nobody_there_is_an_error_before_anything_is_logged(node, verb, sentence):
    before = node.broker.top

    with pytest.raises(NoSocket) as nobody:
        verb()

    assert str(nobody.value) == sentence
    assert not isinstance(nobody.value, NoServer)
    assert node.broker.top == before


@each_verb()
def test_without_a_server_every_verb_says_so_and_where_it_looked(verb, tmp_path):
    with override_settings(REALTIME_WALL={"RUNTIME_DIR": str(tmp_path)}):
        with pytest.raises(NoServer, match=str(tmp_path)):
            verb("hi")
        with pytest.raises(NoSocket):
            api.send("somebody", "hi")


# What cannot be sent


@pytest.mark.threat("S48")
@each_verb()
@pytest.mark.parametrize("data", [float("nan"), float("inf"), "\ud83d", 1j, {(1, 2): 3}], ids=ascii)
def test_what_some_client_could_not_read_is_refused_and_nothing_happens(node, clients, verb, data):
    before = node.broker.top

    with pytest.raises(InvalidMessage):
        verb(data)

    assert node.broker.top == before
    assert [client.heard for client in clients] == [[], [], []]


def test_send_refuses_it_too(clients):
    with pytest.raises(InvalidMessage):
        api.send(clients[0].socket.id, float("nan"))

    assert clients[0].sent == []


@each_verb()
def test_a_message_that_is_too_big_is_refused_and_nothing_happens(node, clients, verb):
    before = node.broker.top

    with pytest.raises(MessageTooBig):
        verb("x" * 1000)

    assert node.broker.top == before
    assert [client.heard for client in clients] == [[], [], []]


@pytest.mark.threat("S23")
@pytest.mark.parametrize("name", [*sorted(RESERVED - {"message"}), "", "x" * 129, "a\nb", None, 7])
def test_an_event_name_that_clients_use_themselves_is_refused(node, clients, name):
    before = node.broker.top

    with pytest.raises(InvalidMessage, match="event name"):
        api.broadcast_emit(name, 1)
    if name is not None:  # publish without a name publishes a message
        with pytest.raises(InvalidMessage, match="event name"):
            api.publish("room", 1, event=name)

    assert node.broker.top == before


@pytest.mark.parametrize("channel", [EVERYONE, "", "a/b", "a*", "ALL", "x" * 129, 7, None])
def test_everyone_and_names_that_are_none_cannot_be_published_to(node, clients, channel):
    before = node.broker.top

    for verb in (
        lambda: api.publish(channel, 1),
        lambda: api.broadcast_channel(1, channel),
        *([lambda: api.broadcast_emit("news", 1, channel=channel)] if channel is not None else []),
    ):
        with pytest.raises(InvalidChannel):
            verb()

    assert node.broker.top == before


# What can


@each_verb()
@pytest.mark.parametrize(
    ("data", "read"),
    [
        (date(2026, 5, 17), "2026-05-17"),
        (datetime(2026, 5, 17, 8, 30, tzinfo=UTC), "2026-05-17T08:30:00Z"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (gettext_lazy("Save"), "Save"),
        (None, None),
        (0, 0),
    ],
    ids=str,
)
def test_what_django_can_write_as_json_arrives(clients, verb, data, read):
    verb(data)
    api.broadcast_channel("and on", "room")

    assert clients[0].data_heard == [read, "and on"]


# The cursor


def test_the_cursor_is_where_the_log_is_now(node):
    before = api.cursor()
    api.publish("room", 1)

    assert api.cursor() == str(node.broker.top) != before
    assert [one.data_json for one in node.broker.since("room", Position.parse(before))] == ["1"]


def test_without_a_server_there_is_no_cursor(tmp_path):
    with override_settings(REALTIME_WALL={"RUNTIME_DIR": str(tmp_path)}):
        assert api.cursor() == ""


# The package


# For work that lasts as long as a server, and for limits of one's own. Few need them: they are taken from
# here.
OF_SERVERS = {
    *("Backoff", "OutgoingMessage", "emit_to", "publish_many", "run_in_threadpool", "time_slice"),
    "visitor_address",
}


def test_the_package_hands_out_the_same_names():
    for name in set(api.__all__) - OF_SERVERS:
        assert getattr(realtime_wall, name) is getattr(api, name)


# Bytes


def test_bytes_are_kept_for_who_can_be_sent_them_and_are_base64_for_others(node, clients):
    api.broadcast_emit("file", {"of": b"one"}, 2)

    (message,) = clients[0].heard
    assert json.loads(message.data_json) == [{"of": "b25l"}, 2]
    assert message.binary.attachments == (b"one",)
    assert clients[1].heard == [message]


def test_bytes_count_when_a_message_is_too_big(node, clients):
    with pytest.raises(MessageTooBig):
        api.broadcast_emit("file", b"x" * 900)


def test_one_client_can_be_sent_bytes(node, clients):
    api.send(clients[0].socket.id, b"one")

    assert clients[0].sent == [(None, "b25l", None)]


# Volatile


def test_a_volatile_event_is_left_out_for_who_is_behind(node, clients):
    clients[1].is_behind = True

    receipt = api.broadcast_emit("moved", 1, 2, volatile=True)

    moved = (EVERYONE, "moved", [1, 2])
    assert [heard(client) for client in clients] == [[moved], [], [moved]]
    assert (receipt.sockets, receipt.dropped) == (2, 1)


def test_a_volatile_event_is_in_no_log(node, clients):
    before = api.cursor()

    api.broadcast_emit("moved", 1, channel="room", volatile=True)

    assert api.cursor() == before
    assert node.broker.kept("room") == 0


def test_a_volatile_event_without_anybody_is_no_socket_either(node, clients):
    with pytest.raises(NoSocket):
        api.broadcast_emit("moved", channel="nobody", volatile=True)


def test_a_socket_sends_volatile_events_to_the_others(node, clients):
    clients[1].is_behind = True

    clients[0].socket.broadcast_emit("moved", 1, volatile=True)

    assert [len(client.heard) for client in clients] == [0, 0, 1]


# Asking everybody


class Answering(RecordingTransport):
    """A client that answers what it is asked, at once."""

    answer = None  # a list of arguments

    def send_event(self, name, arguments, reply_id):
        written = super().send_event(name, arguments, reply_id)
        if self.answer is not None:
            self.session.acknowledged(reply_id, self.answer)
        return written


@pytest.fixture
def answering(node):
    clients = [Answering(node, session_id=name) for name in ("a", "b", "c")]
    for client, answer in zip(clients, ([1], [], [1, 2]), strict=True):
        client.answer = answer
        client.socket.subscribe("room")
    return clients


def test_everybody_is_asked_and_their_answers_are_gathered(node, answering):
    answers = api.broadcast_call("where", {"n": 1})

    assert answers.answers == {"a": 1, "b": None, "c": [1, 2]}
    assert answers.silent == ()
    assert [client.sent for client in answering] == [[("where", {"n": 1}, 1)]] * 3


def test_only_those_of_a_channel_are_asked(node, answering):
    answering[0].socket.unsubscribe("room")

    assert set(api.broadcast_call("where", channel="room").answers) == {"b", "c"}


def test_who_does_not_answer_in_time_is_named(node, answering):
    answering[1].answer = None

    started = monotonic()
    answers = api.broadcast_call("where", timeout=0.2)

    assert monotonic() - started >= 0.2
    assert (set(answers.answers), answers.silent) == ({"a", "c"}, ("b",))
    # Too late: what was handed out stays as it is.
    answering[1].session.acknowledged(1, [7])
    assert (set(answers.answers), answers.silent) == ({"a", "c"}, ("b",))


def test_who_leaves_is_not_waited_for(node, answering):
    answering[1].answer = None
    asking = gevent.spawn(api.broadcast_call, "where", timeout=20)
    wait_for(lambda: answering[1].sent, "the question")

    lifecycle.end(answering[1].session)

    assert asking.get(timeout=10).silent == ("b",)


def test_with_nobody_to_ask_there_is_no_waiting(node):
    with pytest.raises(NoSocket):
        api.broadcast_call("where")


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), 1e9])
def test_a_timeout_that_makes_no_sense_is_refused(node, answering, timeout):
    with pytest.raises(ValueError, match="timeout"):
        api.broadcast_call("where", timeout=timeout)


def test_a_question_is_written_as_any_event(node, answering):
    with pytest.raises(InvalidMessage):
        api.broadcast_call("disconnect")
    with pytest.raises(InvalidMessage):
        api.broadcast_call("where", float("nan"))
    with pytest.raises(MessageTooBig):
        api.broadcast_call("where", "x" * 2000)


# Saying it again


def test_what_is_said_again_with_the_same_key_is_published_once(node, clients):
    first = api.publish("room", "hello", idempotency_key="k1")
    again = api.publish("room", "hello", idempotency_key="k1")
    elsewhere = api.publish("attic", "hello", idempotency_key="k1")

    assert (again, elsewhere) == (first, node.broker.top)
    assert elsewhere.offset == first.offset + 1
    assert [one.position for one in node.broker.newest("room", 9)] == [first]


def test_a_key_is_checked(node):
    with pytest.raises(InvalidMessage, match="idempotency key"):
        api.publish("room", "hello", idempotency_key="")
