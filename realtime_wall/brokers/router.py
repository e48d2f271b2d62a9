"""What the commands mean in a cluster, said by one of its servers or by a process that is none.

What has a place in the order is put there, and every server tells whom it has reached. What concerns one
client goes to the server that it is on. Everything else is asked of all servers, and added up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from realtime_wall.brokers.commands import (
    Answers,
    Ask,
    Command,
    Count,
    Delete,
    Disconnect,
    GetPosition,
    GetPresence,
    Publish,
    Question,
    Receipt,
    Retract,
    SendTo,
    Sockets,
    to_json,
)
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.node_id import owner_of
from realtime_wall.brokers.rpc import Caller
from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import InvalidMessage, NoServer, NoSocket, PublishFailed, RealtimeWallError

# A server that takes longer than this to answer is not waited for.
TIMEOUT = 5.0
# One that has just begun has to be told first who is here.
PRESENCE_TIMEOUT = 10.0
# So many sockets are listed at once.
PORTION = 500


def perform(caller: Caller, command: Command) -> Receipt:
    """NoSocket where listeners are wanted and there are none, PublishFailed when nobody confirmed it."""
    if isinstance(command, Publish):
        servers = caller.link.servers()
        if command.wanted and not _count(caller, servers, command.channel):
            raise nobody_on(command.channel)
        return _put(caller, command, command.counted, servers)
    if isinstance(command, (Retract, Delete)):
        return _put(caller, command, True, caller.link.servers())
    if isinstance(command, (SendTo, Disconnect)):
        return _to_owner(caller, command)
    if isinstance(command, GetPosition):
        top = caller.link.top()
        return Receipt(processes=len(caller.link.servers()), position=None if top is None else str(top))
    return _sum(_call(caller, caller.link.servers(), command))


def ask(caller: Caller, command: Ask) -> Answers:
    """Let every server ask its clients, all at once."""
    answers = _call(caller, caller.link.servers(), command, command.timeout + TIMEOUT)
    asked = [Answers(one["answers"], tuple(one["silent"])) for one in answers if one is not None]
    if not asked:
        raise NoSocket(f"There is nobody to ask on the channel: {command.channel}")
    return sum(asked, Answers({}))


def look(caller: Caller, question: Question) -> list[Any]:
    """What each server answers to a question that has one answer."""
    return _call(caller, caller.link.servers(), question)


def answers(caller: Caller, question: Question) -> Iterator[Any]:
    """What the servers answer to a question: each once, or in portions, or one for all of them."""
    if isinstance(question, Sockets):
        for server in caller.link.servers():
            yield from _portions(caller, server, question)
    elif isinstance(question, GetPresence):
        for server in caller.link.servers():
            found = _call(caller, [server], question, PRESENCE_TIMEOUT)
            if found:
                yield found[0]
                return
        raise PublishFailed("no server has answered who is here")
    else:
        yield from look(caller, question)


def _portions(caller: Caller, server: str, question: Sockets) -> Iterator[list[Any]]:
    """The sockets of a server, some at a time: a list of all of them would hold up everybody else."""
    after = ""
    while True:
        found = _call(caller, [server], replace(question, after=after))
        portion = found[0] if found else []
        if portion:
            yield portion
        if len(portion) < PORTION:
            return
        after = portion[-1]["session_id"]


def nobody_on(channel: str) -> NoSocket:
    if channel == EVERYONE:
        return NoSocket("There are no clients.")
    return NoSocket(f"There are no clients on the channel: {channel}")


def _put(
    caller: Caller, command: Publish | Retract | Delete, counted: bool, servers: Collection[str]
) -> Receipt:
    one = proposal(command, caller.link.address, counted)
    expected = caller.expect(one.key, servers) if counted else None
    sequenced = caller.link.sequence(one)
    position = None if sequenced.position is None else str(sequenced.position)
    if expected is None or not sequenced.is_new or position is None:
        if expected is not None:
            expected.gather(0)
        return Receipt(processes=max(1, len(servers)), position=position)
    total = _sum(_results(expected.gather(TIMEOUT)))
    return Receipt(max(1, total.processes), total.sockets, total.queued, total.dropped, position)


def _to_owner(caller: Caller, command: SendTo | Disconnect) -> Receipt:
    """To the server that its id names; a visit of Socket.IO's may have gone on at another one."""
    owner, servers = owner_of(command.session_id), caller.link.servers()
    for asked in ([owner], [one for one in servers if one != owner]) if owner else ():
        answers = _call(caller, [one for one in asked if one in servers], command)
        if any(answers):
            return _sum(answers)
    raise NoSocket(f"There is no socket with the session ID: {command.session_id}")


def _count(caller: Caller, servers: Collection[str], channel: str) -> int:
    return _sum(_call(caller, servers, Count(channel=channel))).sockets


def _call(
    caller: Caller,
    servers: Collection[str],
    command: Command | Ask | Question,
    timeout: float = TIMEOUT,
) -> list[Any]:
    """What each server answers; None for one that has no such client."""
    return _results(caller.call(servers, to_json(command), timeout))


def _results(answers: Mapping[str, Any]) -> list[Any]:
    results = []
    for server, answer in answers.items():
        if "result" in answer:
            results.append(answer["result"])
        elif answer.get("error") == "NoSocket":
            results.append(None)
        elif answer.get("error") in ("InvalidMessage", "MessageTooBig"):
            raise InvalidMessage(answer["message"])
        else:
            raise PublishFailed(f"server {server}: {answer.get('error')}: {answer.get('message')}")
    return results


def _sum(answers: Collection[Any]) -> Receipt:
    return sum((Receipt(**one) for one in answers if one is not None), Receipt())


# What a server answers


def result(value: Any) -> dict[str, Any]:
    return {"result": asdict(value) if isinstance(value, (Receipt, Answers)) else value}


def error(problem: Exception) -> dict[str, Any]:
    if isinstance(problem, NoSocket) and not isinstance(problem, NoServer):
        return {"error": "NoSocket", "message": str(problem)}
    if isinstance(problem, RealtimeWallError):
        return {"error": type(problem).__name__, "message": str(problem)}
    return {"error": type(problem).__name__, "message": "the server failed; see its log"}
