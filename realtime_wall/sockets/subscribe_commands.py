"""What a client asks about its channels, whatever protocol it asks in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime_wall.channels.position import Position
from realtime_wall.channels.wildcards import check_subscribable
from realtime_wall.errors import InvalidChannel, InvalidPosition, TooManyChannels
from realtime_wall.sockets.client_session import ClientSession


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a command was not obeyed: a code for programs, a sentence for people."""

    code: str
    message: str


CLOSED = {
    "full": "has as many subscribers as it may have",
    "no_channel": "has no messages, and only such channels can be joined",
    "too_many": "would be one more than there may be",
}


def subscribe(
    session: ClientSession,
    channel: Any,
    since: Any,
    command_id: Any,
    token: str | None = None,
    look_back: int = 0,
) -> Problem | None:
    """Join a channel, with its last messages; its transport answers when it worked."""
    try:
        position = Position.parse(since) if since else None
        closed = session.node.closed_because(
            check_subscribable(channel, session.node.rules, session.channels)
        )
        if closed is not None and channel not in session.channels:
            return Problem(closed, f"channel {channel!r} {CLOSED[closed]}")
        if channel in session.channels and position is not None:
            # The first answer may have been lost with the connection, before the session was resumed.
            session.catch_up_again(channel, position, command_id)
            return None
        if session.subscribe_for_client(channel, position, token, command_id, look_back):
            return None
    except InvalidPosition as problem:
        return Problem("bad_since", str(problem))
    except InvalidChannel as problem:
        return Problem("bad_channel", str(problem))
    except TooManyChannels as problem:
        return Problem("too_many_channels", str(problem))
    if channel in session.channels:
        return Problem("already_subscribed", f"channel {channel!r}: already subscribed")
    return Problem("refused", f"channel {channel!r}: refused")


def unsubscribe(session: ClientSession, channel: Any) -> Problem | None:
    if isinstance(channel, str) and session.unsubscribe(channel):
        return None
    return Problem("not_subscribed", "not subscribed to that channel")
