"""Channels, as a client on a plain WebSocket has them."""

from realtime_wall import api, signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.sockets.delivery.backlog import PORTION
from tests.transports.websocket.client import Visitor, connect


def test_subscribing_is_answered_with_the_cursor_and_the_channel_is_heard(node, visitor):
    before = str(api.publish("room", "before"))
    (subscribed,) = visitor.ask({"type": "subscribe", "channel": "room", "id": 1})
    receipt = api.broadcast_channel("after", "room")

    assert subscribed == {"type": "subscribed", "channel": "room", "cursor": before, "id": 1}
    assert visitor.wire.texts()[-1] == {
        "type": "message",
        "message": "after",
        "channel": "room",
        "cursor": receipt.position,
    }


def test_subscribing_with_a_cursor_brings_what_was_missed_in_one_write(node, visitor):
    start = str(node.broker.top)
    positions = [str(api.publish("room", number)) for number in range(2)]

    subscribed, *missed = visitor.ask({"type": "subscribe", "channel": "room", "since": start, "id": 1})

    assert subscribed == {
        "type": "subscribed",
        "channel": "room",
        "cursor": start,
        "id": 1,
        "recovered": True,
    }
    assert [(one["message"], one["channel"], one["cursor"]) for one in missed] == [
        (number, "room", position) for number, position in enumerate(positions)
    ]


def test_subscribing_with_the_newest_cursor_recovers_nothing_and_says_so(node, visitor):
    top = str(api.publish("room", 1))

    (subscribed,) = visitor.ask({"type": "subscribe", "channel": "room", "since": top, "id": 1})

    assert (subscribed["cursor"], subscribed["recovered"]) == (top, True)


def test_a_cursor_of_another_log_is_answered_by_a_gap_and_the_channel_is_heard(node, visitor):
    (gap,) = visitor.ask({"type": "subscribe", "channel": "room", "since": "earlier:7", "id": 1})
    api.broadcast_channel("after", "room")

    assert gap == {"type": "gap", "channel": "room", "cursor": f"{node.broker.top.epoch}:0", "id": 1}
    assert visitor.wire.texts()[-1]["message"] == "after"


def test_who_may_not_stay_is_told_and_the_channel_is_silent(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    visitor.transport.session.expel("room")
    api.publish("room", "unheard")
    api.broadcast("heard")

    *_, told, last = visitor.wire.texts()
    assert told == {"type": "unsubscribed", "channel": "room"}
    assert last["message"] == "heard"


def test_sessions_that_sockets_come_with_are_watched(node, monkeypatch):
    arrived = []
    monkeypatch.setattr(node.revocation.sessions, "arrived", arrived.append)

    visitor = Visitor(node).begin()

    assert arrived == [visitor.socket.request]


def test_unsubscribing_is_answered_and_the_channel_is_silent(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    answer = visitor.ask({"type": "unsubscribe", "channel": "room", "id": 2})
    api.publish("room", "unheard")
    api.broadcast("heard")

    assert answer == [{"type": "unsubscribed", "channel": "room", "id": 2}]
    assert visitor.wire.texts()[-1]["message"] == "heard"
    assert "unheard" not in str(visitor.wire.texts())


def test_subscribing_again_is_an_error_and_changes_nothing(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    (error,) = visitor.ask({"type": "subscribe", "channel": "room", "id": 2})
    api.broadcast_channel("once", "room")

    assert (error["code"], error["id"]) == ("already_subscribed", 2)
    assert [one.get("message") for one in visitor.wire.texts()].count("once") == 1


def test_a_refused_channel_is_an_error(node, visitor):
    connect(signals.socket_subscribed, lambda *_, **__: False)

    (error,) = visitor.ask({"type": "subscribe", "channel": "secret", "id": 2})

    assert (error["code"], error["id"]) == ("refused", 2)
    assert node.subscriptions.snapshot("secret") == ()


def test_there_is_a_limit_of_channels(visitor):
    answers = visitor.ask(*({"type": "subscribe", "channel": name, "id": name} for name in "abc"))

    assert [(one["type"], one.get("code")) for one in answers] == [
        ("subscribed", None),
        ("subscribed", None),
        ("error", "too_many_channels"),
    ]


def test_a_connection_that_is_lost_leaves_all_its_channels(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    visitor.wire.abort("reset")

    assert node.subscriptions.snapshot("room") == node.subscriptions.snapshot(EVERYONE) == ()


def test_a_subscription_that_still_waits_when_the_connection_is_lost_is_not_made(node, visitor):
    visitor.say({"type": "subscribe", "channel": "room"})
    visitor.wire.abort("reset")
    visitor.settle()

    assert node.subscriptions.snapshot("room") == ()


BIG = "x" * PORTION


def test_what_was_missed_follows_as_fast_as_it_is_read_and_live_messages_behind_it(node, visitor):
    start = str(node.broker.top)
    for number in range(3):
        api.publish("room", f"{number}{BIG}")
    visitor.wire.outbox_size = 1  # it does not read

    answers = visitor.ask({"type": "subscribe", "channel": "room", "since": start, "id": 1})
    receipt = api.broadcast_channel("live", "room")
    visitor.socket.send("by the way")

    assert [one["type"] for one in answers] == ["subscribed"]
    assert (receipt.sockets, receipt.queued) == (1, 1)
    assert visitor.wire.texts()[-1]["message"] == "by the way"

    visitor.wire.drain()
    api.broadcast_channel("on time", "room")
    assert [one["message"][:7] for one in visitor.wire.texts()[-5:]] == [
        *("0xxxxxx", "1xxxxxx", "2xxxxxx", "live", "on time")
    ]


def test_much_that_was_broadcast_is_told_in_portions_too(node, visitor):
    start = node.broker.top
    for number in range(3):
        api.broadcast(f"{number}{BIG}")
    came_back = Visitor(node, since=start)
    came_back.wire.outbox_size = 1

    came_back.begin()
    assert [one["type"] for one in came_back.wire.texts()] == ["welcome"]

    came_back.wire.drain()
    assert [one["message"][0] for one in came_back.wire.texts()[1:]] == ["0", "1", "2"]


def test_what_still_waits_of_a_channel_is_not_told_after_leaving_it_or_twice_after_a_gap(node, visitor):
    start = str(node.broker.top)
    for number in range(3):
        api.publish("room", f"{number}{BIG}")
    visitor.wire.outbox_size = 1
    visitor.ask({"type": "subscribe", "channel": "room", "since": start})
    visitor.ask({"type": "unsubscribe", "channel": "room"})

    visitor.ask({"type": "subscribe", "channel": "room", "since": "earlier:1"})
    visitor.wire.drain()
    assert visitor.wire.texts()[-1]["type"] == "gap"

    visitor.wire.outbox_size = 1
    visitor.ask({"type": "unsubscribe", "channel": "room"})
    visitor.ask({"type": "subscribe", "channel": "room", "since": start})
    visitor.ask({"type": "unsubscribe", "channel": "room"})
    visitor.wire.drain()
    assert visitor.wire.texts()[-1]["type"] == "unsubscribed"
