"""What a shell asks of a server and is told as it happens: what is published, and how much.

One that reads too slowly is told how many messages it has missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gevent.queue import Full, Queue

from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Follow, GetPresence, GetStatistics, Question, Servers, Sockets
from realtime_wall.brokers.replica import Replica
from realtime_wall.brokers.rpc import Caller
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import matcher
from realtime_wall.control.message_dict import told
from realtime_wall.node import statistics
from realtime_wall.node.node import Node
from realtime_wall.node.watchers import Watchers

# Messages that wait for a shell that is slow; one of them may be as large as MESSAGE_SIZE.
WAITING = 100


def answers(watchers: Watchers, history: Replica, caller: Caller, question: Question) -> Iterator[Any]:
    if isinstance(question, Follow):
        yield from _follow(watchers, history, question)
    elif isinstance(question, GetStatistics):
        yield statistics.of_all(router.look(caller, question))
    else:
        yield from router.answers(caller, question)


def _follow(watchers: Watchers, history: Replica, question: Follow) -> Iterator[dict[str, Any]]:
    queue: Queue[Message] = Queue(WAITING)
    missed = 0

    def published(message: Message) -> None:
        nonlocal missed
        try:
            queue.put_nowait(message)
        except Full:
            missed += 1

    # No turn for the event loop in between: nothing is told twice, and nothing is left out.
    stop = watchers.add(question.pattern, published)
    last = _last(history, question)
    try:
        yield from map(told, last)
        while True:
            message = queue.get()
            if missed:
                yield {"missed": missed}
                missed = 0
            yield told(message)
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


def everywhere(here: Node, what: str) -> statistics.Told:
    """The statistics as all servers tell them."""
    if here.broker.is_alone:  # a question to oneself need not be written down
        return statistics.of_all([look(here, GetStatistics(what=what))])
    return statistics.of_all(router.look(here.broker, GetStatistics(what=what)))


def look(here: Node, question: Question) -> Any:
    """What this server alone answers."""
    if isinstance(question, Servers):
        return statistics.of_server(here)
    if isinstance(question, Sockets):
        return statistics.sockets(here, question)
    if isinstance(question, GetPresence):
        return here.presence.people(question.channel, router.TIMEOUT)
    assert isinstance(question, GetStatistics)
    what = question.what
    if not what:
        return statistics.summary(here)
    if what == statistics.ALL or what.endswith("*"):
        return statistics.of_prefix(here, "" if what == statistics.ALL else what[:-1])
    if "/" in what:  # no name has one
        return statistics.of_several(here, [statistics.of_channel(here, one) for one in what.split("/")])
    return statistics.of_channel(here, what)
