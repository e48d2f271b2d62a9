import json
import os

import gevent
import pytest

from realtime_wall.brokers.commands import GetPosition, Publish, SendTo
from realtime_wall.brokers.node_id import owner_of
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import CatchUp, Gap, Since
from realtime_wall.config import Config
from realtime_wall.errors import MessageTooBig, NoSocket
from realtime_wall.node import node as node_module
from realtime_wall.node.node import Node
from realtime_wall.wire.connection import DROPPED, QUEUED
from tests.fakes import RecordingTransport, running_node


@pytest.fixture
def node():
    with running_node(message_size=1000, history_size=5) as node:
        yield node


def publish(node, channel="room", data=1, **options):
    return node.perform(Publish(channel=channel, data_json=json.dumps(data), **options))


def offset(receipt):
    return Position.parse(receipt.position).offset


# Publishing


def test_positions_rise_over_all_channels(node):
    offsets = [offset(publish(node, channel)) for channel in ("a", "b", "a", EVERYONE)]

    assert offsets == [1, 2, 3, 4]


def test_an_empty_room_is_fine_unless_somebody_is_wanted(node):
    receipt = publish(node)

    assert (receipt.processes, receipt.sockets, bool(receipt)) == (1, 0, False)


@pytest.mark.parametrize(
    ("channel", "message"),
    [(EVERYONE, "There are no clients."), ("room", "There are no clients on the channel: room")],
)
def test_wanting_somebody_where_nobody_is_fails_before_anything_is_logged(node, channel, message):
    before = node.broker.top

    with pytest.raises(NoSocket) as nobody:
        publish(node, channel, wanted=True)

    assert str(nobody.value) == message
    assert node.broker.top == before
    assert node.broker.since(channel, before) == []


def test_the_receipt_counts_whom_it_reached_who_waits_and_who_was_lost(node):
    clients = [RecordingTransport(node) for _ in range(6)]
    clients[0].answer = clients[1].answer = QUEUED
    clients[2].answer = DROPPED

    receipt = publish(node, EVERYONE, wanted=True)

    assert (receipt.processes, receipt.sockets, receipt.queued, receipt.dropped) == (1, 5, 2, 1)
    assert receipt.position == str(node.broker.top)
    assert receipt


def test_a_receipt_that_reached_nobody_is_false(node):
    RecordingTransport(node).answer = DROPPED

    receipt = publish(node, EVERYONE, wanted=True)

    assert not receipt
    assert receipt.dropped == 1


def test_who_does_not_count_does_not_wait_for_the_deliveries(node):
    client = RecordingTransport(node)

    receipt = publish(node, EVERYONE, counted=False)

    assert client.heard == []
    assert (receipt.position, receipt.sockets) == (str(node.broker.top), 0)


def test_who_is_subscribed_is_taken_at_the_messages_position(node):
    early, late = RecordingTransport(node), RecordingTransport(node)
    early.socket.subscribe("room")

    publish(node, data="before", counted=False)
    late.socket.subscribe("room")
    publish(node, data="after")

    assert early.data_heard == ["before", "after"]
    assert late.data_heard == ["after"]


def test_who_has_left_a_channel_hears_nothing_late_and_nothing_twice_when_it_returns(node):
    client = RecordingTransport(node)
    client.socket.subscribe("room")
    since = node.broker.top

    publish(node, data="on its way", counted=False)
    client.socket.unsubscribe("room")
    publish(node, data="missed", counted=False)
    client.socket.subscribe("room", since)
    publish(node, data="live")

    assert client.data_heard == ["on its way", "missed", "live"]


@pytest.mark.parametrize("text", ["x" * 999, "é" * 500, "😀" * 250], ids=["ascii", "two bytes", "four bytes"])
def test_a_message_is_measured_in_bytes_and_refused_before_anything_is_logged(node, text):
    before = node.broker.top

    with pytest.raises(MessageTooBig, match="1,00[12] bytes as JSON, the limit MESSAGE_SIZE is 1,000"):
        node.perform(Publish(channel="room", data_json=f'"{text}"'))

    assert node.broker.top == before


@pytest.mark.parametrize("text", ["x" * 998, "é" * 499, "😀" * 249], ids=["ascii", "two bytes", "four bytes"])
def test_a_message_of_the_greatest_size_passes(node, text):
    node.perform(Publish(channel="room", data_json=f'"{text}"'))

    assert node.broker.top.offset == 1


# Sending to one


def test_sending_reaches_one_client_and_logs_nothing(node):
    client, other = RecordingTransport(node), RecordingTransport(node)

    receipt = node.perform(SendTo(session_id=client.socket.id, data_json='"hi"'))

    assert (client.sent, other.sent) == ([(None, "hi", None)], [])
    assert (receipt.processes, receipt.sockets, receipt.position) == (1, 1, None)
    assert node.broker.top.offset == 0


def test_sending_to_nobody_names_the_id(node):
    with pytest.raises(NoSocket, match="^There is no socket with the session ID: gone$"):
        node.perform(SendTo(session_id="gone", data_json='"hi"'))


def test_sending_too_much_is_refused(node):
    client = RecordingTransport(node)

    with pytest.raises(MessageTooBig):
        node.perform(SendTo(session_id=client.socket.id, data_json='"' + "x" * 1000 + '"'))

    assert client.sent == []


@pytest.mark.parametrize(
    ("answer", "counts"), [(DROPPED, (0, 0, 1)), (QUEUED, (1, 1, 0))], ids=["dropped", "queued"]
)
def test_sending_tells_what_became_of_it(node, answer, counts):
    client = RecordingTransport(node)
    client.answer = answer

    receipt = node.perform(SendTo(session_id=client.socket.id, data_json='"hi"'))

    assert (receipt.sockets, receipt.queued, receipt.dropped) == counts


def test_where_is_the_log(node):
    publish(node)

    assert node.perform(GetPosition()).position == str(node.broker.top)


# Subscribing


def test_without_a_cursor_a_subscriber_starts_here(node):
    publish(node, data="before")
    client = RecordingTransport(node)

    catch_up = node.subscribe(client, {"room": 0})

    assert catch_up == CatchUp([], node.broker.top)


def test_with_a_cursor_a_subscriber_is_given_what_it_missed_of_that_channel(node):
    for data in range(3):
        publish(node, data=data)
        publish(node, "another room", data="other")
    client = RecordingTransport(node)

    catch_up = node.subscribe(client, {"room": 0}, Since(position=Position(node.broker.top.epoch, 1)))

    assert [message.data_json for message in catch_up.items] == ["1", "2"]


@pytest.mark.parametrize("was", ["sender", None], ids=["came back", "the same"])
def test_what_a_client_published_to_the_others_is_not_what_it_missed(node, was):
    for data in range(3):
        publish(node, data=data, exclude="sender" if data == 1 else "somebody else")
    client = RecordingTransport(node, None if was else "sender", was=was)

    catch_up = node.subscribe(client, {"room": 0}, Since(position=Position(node.broker.top.epoch, 0)))

    assert [message.data_json for message in catch_up.items] == ["0", "2"]


def test_what_cannot_be_sent_any_more_is_a_gap_and_what_is_kept_follows_it(node):
    for data in range(6):  # one more than is kept
        publish(node, data=data)
    client, epoch = RecordingTransport(node), node.broker.top.epoch

    catch_up = node.subscribe(client, {"room": 0}, Since(position=Position(epoch, 0)))

    gap, *messages = catch_up.items
    assert gap == Gap(["room"], Position(epoch, 1), Position(epoch, 0))
    assert [message.data_json for message in messages] == ["1", "2", "3", "4", "5"]
    assert node.subscriptions.snapshot("room") == (client,)


def test_a_cursor_of_another_epoch_is_a_gap_up_to_now(node):
    publish(node)
    client, position = RecordingTransport(node), Position("earlier", 1)

    catch_up = node.subscribe(client, {"room": 0}, Since(position=position))

    assert catch_up == CatchUp([Gap(["room"], node.broker.top, position)], node.broker.top)
    assert node.subscriptions.snapshot("room") == (client,)


def test_unsubscribing_ends_it(node):
    client = RecordingTransport(node)
    node.subscribe(client, {"room": 0})

    node.unsubscribe(client, "room")

    assert publish(node).sockets == 0


# Where it runs


def test_there_is_a_current_node_while_one_runs():
    assert node_module.current() is None
    with running_node() as node:
        assert node_module.current() is node
        assert node_module.this_node() is node
    assert node_module.current() is None


def test_a_native_thread_is_not_in_the_node(node):
    assert gevent.get_hub().threadpool.apply(node_module.current) is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_is_not_in_the_node(node):
    child = os.fork()
    if child == 0:
        os._exit(0 if node_module.current() is None else 1)

    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.threat("S34")
def test_session_ids_say_which_server_it_is_and_cannot_be_guessed():
    node = Node(Config())
    ids = {node.new_session_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert {owner_of(one) for one in ids} == {node.address}
    assert min(len(one.removeprefix(node.address)) for one in ids) >= 20


def test_every_start_has_an_epoch_of_its_own():
    assert len({Node(Config()).broker.top.epoch for _ in range(100)}) == 100


def test_a_publisher_that_never_yields_is_held_back(node):
    client = RecordingTransport(node)
    node.subscribe(client, {"room": 0})

    for data in range(3000):
        publish(node, data=data, counted=False)

    # All but the last thousand have been delivered, though the publisher never waited by itself.
    assert len(client.heard) >= 2000


def test_eight_publishers_are_heard_in_one_order_by_everybody(node):
    clients = [RecordingTransport(node) for _ in range(20)]

    def publisher(name):
        for number in range(50):
            publish(node, EVERYONE, f"{name}:{number}", counted=number % 2 == 0)
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(publisher, name) for name in range(8)], raise_error=True)
    publish(node, EVERYONE, "last")

    first = clients[0].heard
    assert [message.position.offset for message in first] == list(range(1, 402))
    assert all(client.heard == first for client in clients)
    for name in range(8):
        own = [data for data in clients[0].data_heard if data.startswith(f"{name}:")]
        assert own == [f"{name}:{number}" for number in range(50)]


def test_who_is_sent_away_stands_before_what_this_server_has_missed(node):
    class Listener:
        session_key = None

        def end(self, reason):
            self.told = node.delivered_position()

    listener, before = Listener(), node.broker.top
    node.perform(Publish(channel="news", data_json="1", counted=False))
    node.listeners.add(listener)
    try:
        node.start_afresh(before)
    finally:
        node.listeners.discard(listener)

    assert listener.told == before
    assert node.delivered_position() == node.broker.top != before
