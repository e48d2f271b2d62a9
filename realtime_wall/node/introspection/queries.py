"""What is answered to a shell, or to a page: what is published, as it happens, and how much of what there is.

A shell that reads too slowly gets the number of messages that it has missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from gevent.queue import Full, Queue

from realtime_wall.brokers import router
from realtime_wall.brokers.questions import (
    Follow,
    GetChannelPage,
    GetHistory,
    GetMetrics,
    GetPresence,
    GetServers,
    GetSocketPage,
    GetSockets,
    GetStatistics,
    Question,
)
from realtime_wall.brokers.replica import Replica
from realtime_wall.brokers.rpc import Caller
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import matcher
from realtime_wall.control.message_dict import message_dict
from realtime_wall.node.introspection import listings, metrics, statistics
from realtime_wall.node.node import Node
from realtime_wall.node.watchers import Watchers

# Messages that wait for a shell that is slow; one of them may be as large as MESSAGE_SIZE.
WAITING = 100


def answers(watchers: Watchers, history: Replica, caller: Caller, question: Question) -> Iterator[Any]:
    if isinstance(question, Follow):  # of this process alone: it has every message
        return _follow(watchers, history, question)
    return router.answers(caller, question)


def _follow(watchers: Watchers, history: Replica, question: Follow) -> Iterator[dict[str, Any]]:
    queue: Queue[Message] = Queue(WAITING)
    missed = 0

    def published(message: Message) -> None:
        nonlocal missed
        try:
            queue.put_nowait(message)
        except Full:
            missed += 1

    # No turn for the event loop in between: nothing is answered twice, and nothing is left out.
    stop = watchers.add(question.pattern, published)
    last = _last(history, question)
    try:
        yield from map(message_dict, last)
        while True:
            message = queue.get()
            if missed:
                yield {"missed": missed}
                missed = 0
            yield message_dict(message)
    finally:
        stop()


def _last(history: Replica, question: Follow) -> list[Message]:
    if not question.last:
        return []
    fits = matcher(question.pattern)
    messages = [
        message
        for channel in list(history.channels())
        if channel != EVERYONE and fits(channel)
        for message in history.newest(channel, question.last)
    ]
    return sorted(messages, key=lambda message: message.position.offset)[-question.last :]


def everywhere(node: Node, selection: str) -> statistics.Figures:
    """The statistics of all servers."""
    found = router.answers(node.broker.calls, GetStatistics(selection=selection))
    return statistics.of_all(list(found))


def register(node: Node) -> None:
    """Let this server answer for itself."""
    node.handlers.add(GetServers, lambda question: statistics.of_server(node))
    node.handlers.add(GetMetrics, lambda question: metrics.of_node(node))
    node.handlers.add(GetSockets, partial(listings.sockets, node))
    node.handlers.add(GetSocketPage, partial(listings.socket_page, node))
    node.handlers.add(GetChannelPage, partial(listings.channel_page, node))
    node.handlers.add(GetHistory, partial(listings.history, node))
    node.handlers.add(GetPresence, lambda question: node.presence.people(question.channel, router.TIMEOUT))
    node.handlers.add(GetStatistics, lambda question: statistics.of_selection(node, question.selection))
