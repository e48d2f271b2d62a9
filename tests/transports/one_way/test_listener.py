import json
from dataclasses import replace

import gevent
import pytest

from realtime_wall.brokers.commands import Publish
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, Since
from realtime_wall.protocol.http_stream import LAST_CHUNK, chunk
from realtime_wall.transports.one_way.formats import EVENTS, FRAME, LINES, UNNAMED_EVENTS
from realtime_wall.transports.one_way.listener import Listener
from tests.fakes import RecordingWire, running_node
from tests.live import PATIENCE, wait_for


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def publish(node, channel, *values, **fields):
    commands = [Publish(channel=channel, data_json=json.dumps(one), **fields) for one in values]
    positions = [node.perform(command).position for command in commands]
    wait_for(lambda: node.delivered_position() == node.broker.top)
    return positions


def listen(node, *channels, format=LINES, since=NOTHING, backtrack=0, chunked=False):
    wire = RecordingWire()
    listener = Listener(node, wire, format, chunked=chunked, session_key=None)
    listener.begin(b"HEAD\n", dict.fromkeys(channels, backtrack), since)
    return listener, wire


def items(wire):
    return [json.loads(line) for line in wire.written.split(b"HEAD\n")[1].decode().splitlines()]


def told(wire):
    return [(one["id"], one["channel"], one["text"]) for one in items(wire)]


def test_it_hears_its_channels_from_now_on(node):
    publish(node, "news", "before")
    _, wire = listen(node, "news", "weather")
    publish(node, "news", "now")
    publish(node, "weather", {"rain": True})
    publish(node, "elsewhere", "unheard")

    assert told(wire) == [(2, "news", "now"), (1, "weather", {"rain": True})]


def test_it_may_look_back_and_is_told_in_the_order_of_publishing(node):
    publish(node, "a", 1)
    publish(node, "b", 2)
    publish(node, "a", 3)
    _, wire = listen(node, "a", "b", backtrack=5)

    assert [one[2] for one in told(wire)] == [1, 2, 3]


def test_it_goes_on_from_its_cursor(node):
    first, *_ = publish(node, "a", 1, 2)
    publish(node, "b", 3)
    _, wire = listen(node, "a", "b", since=Since(position=Position.parse(first)))
    publish(node, "a", 4)

    assert [one[2] for one in told(wire)] == [2, 3, 4]


def test_all_may_be_sent_away_while_one_waits_to_be_where_it_was(node):
    """It has been told nothing yet, not even the head of its answer, and so is not told an end."""
    (first,) = publish(node, "a", 1)
    ahead = replace(Position.parse(first), offset=Position.parse(first).offset + 1)
    coming = gevent.spawn(listen, node, "a", since=Since(position=ahead))
    wait_for(lambda: node.broker._waiting, "who comes from another server")

    node.start_afresh(node.broker.top)
    publish(node, "a", 2, 3)
    _, wire = coming.get(timeout=PATIENCE)

    assert wire.written.startswith(b"HEAD\n")
    assert [one[2] for one in told(wire)] == [3]


def test_what_cannot_be_told_is_a_gap_and_then_it_hears_what_is_new(node):
    _, wire = listen(node, "a", "b", since=Since(position=Position("another", 7)))
    publish(node, "a", 1)

    assert told(wire) == [(-4, "a", None), (-4, "b", None), (1, "a", 1)]
    # Cut off between the two, it still stands where it is told of both.
    assert [one["cursor"] for one in items(wire)[:2]] == ["another:7", f"{node.broker.top.epoch}:0"]


def test_events_are_told_with_the_cursor_as_their_id(node):
    _, wire = listen(node, "news", format=EVENTS)
    (position,) = publish(node, "news", "hello", event="said")

    *opening, event, end = wire.written.decode().split("\n\n")
    assert opening[-1] == f"id: {node.broker.top.epoch}:0"
    lines = event.split("\n")
    assert lines[:2] == [f"id: {position}", "event: said"]
    assert json.loads(lines[2].removeprefix("data: "))["text"] == "hello"
    assert end == ""


def test_a_gap_is_an_event_of_its_own_name(node):
    _, wire = listen(node, "news", format=EVENTS, since=Since(event_id="unknown"))

    assert '\nevent: gap\ndata: {"id":-4,' in wire.written.decode()


def test_a_frame_is_a_page_that_registers_and_calls(node):
    _, wire = listen(node, "news", format=FRAME)
    publish(node, "news", "</script>")

    page = wire.written.decode()
    assert page.index("parent.PushStream.register(window)") < page.index("p(1,")
    assert page.count("</script>") == 2


def test_in_chunks_the_bytes_are_the_same(node):
    _, plain = listen(node, "news")
    _, chunked = listen(node, "news", chunked=True)
    publish(node, "news", "hello")

    message = plain.written.removeprefix(b"HEAD\n")
    assert chunked.written == b"HEAD\n" + chunk(message)


def test_templates_of_the_channel_are_used():
    rule = {"MESSAGE_TEMPLATE": "~channel~:~text~", "HEADER_TEMPLATE": "begin", "FOOTER_TEMPLATE": "end"}
    with running_node(channels={"news": rule}) as node:
        listener, wire = listen(node, "news")
        publish(node, "news", "hello")
        listener.end("enough")

    assert wire.written == b"HEAD\nbegin\r\nnews:hello\r\nend\r\n"


def test_when_it_leaves_nothing_of_it_stays(node):
    listener, wire = listen(node, "a", "b")
    assert node.listeners == {listener}
    wire.abort("gone")

    assert node.listeners == set()
    assert [node.subscriptions.count(channel) for channel in "ab"] == [0, 0]


def test_the_end_is_the_last_chunk_so_that_a_client_knows_it_from_a_cut(node):
    listener, wire = listen(node, "news", chunked=True)
    listener.end("the server restarts")

    assert wire.written.endswith(LAST_CHUNK)
    assert wire.ended == "the server restarts"


def test_a_ping_moves_the_cursor_on(node):
    listener, wire = listen(node, "news", format=EVENTS)
    publish(node, "elsewhere", 1, 2)
    listener.tick(0.0)

    assert wire.written.endswith(f": -1\nid: {node.broker.top}\n\n".encode())


def test_our_own_client_hears_pings_the_first_at_once(node):
    listener, wire = listen(node, "news", format=UNNAMED_EVENTS)
    publish(node, "elsewhere", 1)
    listener.tick(0.0)

    pings = [json.loads(line[6:]) for line in wire.written.decode().split("\n") if line.startswith("data: ")]
    assert [(ping["id"], ping["cursor"]) for ping in pings] == [(-1, ""), (-1, str(node.broker.top))]


def test_a_ping_in_lines_has_the_cursor_and_the_channels_text(node):
    listener, wire = listen(node, "news")
    publish(node, "elsewhere", 1)
    listener.tick(0.0)

    (ping,) = items(wire)
    assert (ping["id"], ping["text"], ping["cursor"]) == (-1, " ", str(node.broker.top))


def test_who_has_not_read_yet_is_not_pinged_past_what_waits(node):
    listener, wire = listen(node, "news", format=EVENTS)
    written = wire.written
    wire.outbox_size, wire.progress = 1, 100.0
    listener.tick(100.0)

    assert wire.written == written


def test_who_reads_nothing_for_too_long_is_cut_off(node):
    listener, wire = listen(node, "news")
    wire.outbox_size, wire.progress = 1, 100.0
    listener.tick(100.0 + node.config.outbox_timeout + 1)

    assert wire.ended == "stopped reading"


def test_what_has_lasted_long_enough_has_to_come_back():
    with running_node(connection_age=60) as node:
        listener, wire = listen(node, "news", chunked=True)
        born = listener._born
        assert listener.tick(born + 59) == pytest.approx(1)
        assert wire.is_open
        listener.tick(born + 61)

    assert wire.ended == "has been connected for long enough"


def test_more_than_a_portion_of_what_was_missed_is_told_as_fast_as_it_is_read(node):
    publish(node, "news", *["x" * 10_000 for _ in range(20)])

    class Slow(RecordingWire):
        def write(self, data):
            super().write(data)
            self.outbox_size = len(data)

    wire = Slow()
    Listener(node, wire, LINES, chunked=False, session_key=None).begin(b"HEAD\n", {"news": 20}, NOTHING)
    publish(node, "news", "live")
    first = len(wire.written)
    while wire.drained is not None:
        wire.drain()

    assert first < 100_000
    assert [one[0] for one in told(wire)] == list(range(1, 22))


def test_a_slow_reader_of_a_channel_that_can_do_without_stays():
    with running_node(channels={"news": {"OVERFLOW": "resync"}}, outbox_size=2000) as node:
        listener, wire = listen(node, "news")
        wire.outbox_size = 1
        publish(node, "news", *range(50))
        wire.drain()

    assert wire.is_open
    gap, *rest = told(wire)
    assert gap[:2] == (-4, "news")
    assert [one[2] for one in rest] == list(range(50 - len(rest), 50))


@pytest.mark.threat("S61")
def test_it_is_one_of_its_user_s_clients_as_soon_as_he_is_known(node):
    users = {"known": "7"}
    node.visitors._user_id_of = users.get
    listeners = [
        Listener(node, RecordingWire(), LINES, chunked=False, session_key=key)
        for key in ("known", "known", "new", None)
    ]
    for listener in listeners:
        listener.begin(b"", {"a": 0}, NOTHING)
    user = node.visitors.user_of("known")
    assert user.connections == 2

    users["new"] = "7"
    for listener in listeners:
        listener.tick(0.0)
    assert user.connections == 3
    for listener in listeners:
        listener.wire.abort("gone")
    assert user.connections == 0
