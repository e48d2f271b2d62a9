"""Which way does a command take? One of the servers asks, or a process that is none.

A command says its route. What has a place in the order is put there, and every server reports whom it has
reached. What concerns one client goes to the server that it is on. Everything else is asked of all servers,
and added up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from realtime_wall.brokers.commands import (
    Command,
    Count,
    Disconnect,
    GetPosition,
    Publish,
    R,
    Request,
    Route,
    SendTo,
    SequencedCommand,
)
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.node_id import owner_of
from realtime_wall.brokers.questions import GetSockets, Question
from realtime_wall.brokers.results import Receipt
from realtime_wall.brokers.rpc import Caller, Results
from realtime_wall.channels.message import OUTSIDE_OF
from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import InvalidMessage, NoSocket, PublishFailed

# A server that takes longer than this to answer is not waited for.
TIMEOUT = 5.0
# One that has just begun has to learn first who is there.
PRESENCE_TIMEOUT = 10.0
# So many sockets are listed at once.
PORTION = 500


def perform(caller: Caller, command: Command[R]) -> R:
    """NoSocket where listeners are wanted and there are none, PublishFailed when nobody confirmed it."""
    result: R = _PERFORM[command.route](caller, command)
    return result


def answers(caller: Caller, question: Question) -> Iterator[Any]:
    """What the servers answer to a question: each once, or in portions, or one for all of them."""
    return _ANSWER[question.route](caller, question)


# Commands


def sequence(caller: Caller, command: SequencedCommand) -> Receipt:
    """Into the order. Waits for the servers' reports when they are to be counted."""
    servers = caller.link.servers()
    if isinstance(command, Publish) and command.wanted and not _count(caller, servers, command):
        raise nobody_on(command.channel, command.exclude)
    proposed = proposal(command, caller.link.address, command.counted)
    expected = caller.expect(proposed.key, servers) if command.counted else None
    sequenced = caller.link.sequence(proposed)
    position = None if sequenced.position is None else str(sequenced.position)
    if expected is None or not sequenced.is_new or position is None:
        if expected is not None:
            expected.gather(0)
        return Receipt(processes=max(1, len(servers)), position=position)
    total = sum(_checked(expected.gather(TIMEOUT)), Receipt())
    return Receipt(max(1, total.processes), total.sockets, total.queued, total.dropped, position)


def _to_owner(caller: Caller, command: SendTo | Disconnect) -> Receipt:
    """To the server that its id names; a session of Socket.IO's may have gone on at another one."""
    owner, servers = owner_of(command.session_id), caller.link.servers()
    own = caller.link.address  # costs nothing to ask
    rest = [server for server in servers if server not in (own, owner)]
    for asked in ([own], [owner], rest) if owner else ([own],):
        found = _call(caller, [server for server in asked if server in servers], command)
        if found:
            return command.add_up(found)
    raise NoSocket(f"There is no socket with the session ID: {command.session_id}")


def _to_every_server(caller: Caller, command: Command[R]) -> R:
    return command.add_up(_call(caller, caller.link.servers(), command, TIMEOUT + command.client_timeout))


def _by_the_link(caller: Caller, command: GetPosition) -> Receipt:
    top = caller.link.top()
    return Receipt(processes=len(caller.link.servers()), position=None if top is None else str(top))


_PERFORM: dict[Route, Callable[[Caller, Any], Any]] = {
    Route.SEQUENCED: sequence,
    Route.OWNER: _to_owner,
    Route.EVERY_SERVER: _to_every_server,
    Route.LINK: _by_the_link,
}


def nobody_on(channel: str, exclude: str | None = None) -> NoSocket:
    if exclude is not None and exclude[:1] == OUTSIDE_OF:
        where = "" if channel == EVERYONE else f" on the channel: {channel}"
        return NoSocket(f"There are no clients in the namespace {exclude[1:]}{where}")
    if channel == EVERYONE:
        return NoSocket("There are no clients.")
    return NoSocket(f"There are no clients on the channel: {channel}")


def _count(caller: Caller, servers: Collection[str], command: Publish) -> int:
    question = Count(channel=command.channel, exclude=command.exclude)
    return sum(receipt.sockets for receipt in _call(caller, servers, question))


# Questions


def _each_server(caller: Caller, question: Question) -> Iterator[Any]:
    yield from _call(caller, caller.link.servers(), question)


def _portions(caller: Caller, question: GetSockets) -> Iterator[list[Any]]:
    """The sockets of each server, some at a time: a list of all of them would hold up everybody else."""
    for server in caller.link.servers():
        portion, after = None, ""
        while portion is None or len(portion) == PORTION:
            found = _call(caller, [server], replace(question, after=after))
            portion = found[0] if found else []
            if portion:
                yield portion
                after = portion[-1]["session_id"]


def _any_server(caller: Caller, question: Question) -> Iterator[Any]:
    own = caller.link.address  # costs nothing to ask
    for server in sorted(caller.link.servers(), key=lambda address: address != own):
        found = _call(caller, [server], question, PRESENCE_TIMEOUT)
        if found:
            yield found[0]
            return
    raise PublishFailed("no server has answered")


_ANSWER: dict[Route, Callable[[Caller, Any], Iterator[Any]]] = {
    Route.EACH_SERVER: _each_server,
    Route.PORTIONS: _portions,
    Route.ANY_SERVER: _any_server,
}


# What servers answer


def _call(caller: Caller, servers: Collection[str], request: Request, timeout: float = TIMEOUT) -> list[Any]:
    """The results of those servers that have such a client."""
    return _checked(caller.call(servers, request, timeout)) if servers else []


def _checked(results: Results) -> list[Any]:
    """Without those of servers that have no such client; any other failure is raised."""
    found = []
    for server, result in results.items():
        if isinstance(result, InvalidMessage):
            raise result
        if isinstance(result, Exception) and not isinstance(result, NoSocket):
            raise PublishFailed(f"server {server}: {result}") from result
        if not isinstance(result, Exception):
            found.append(result)
    return found
