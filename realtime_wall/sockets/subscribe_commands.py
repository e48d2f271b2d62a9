"""What a client asks about its channels, whatever protocol it asks in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime_wall.channels.names import check_channel
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidChannel, InvalidPosition, TooManyChannels
from realtime_wall.sockets.socket import Socket


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a command was not obeyed: a code for programs, a sentence for people."""

    code: str
    message: str


CLOSED = {
    "full": "has as many subscribers as it may have",
    "no_channel": "has no messages, and only such channels can be joined",
}


def subscribe(
    socket: Socket, channel: Any, since: Any, command_id: Any, token: str | None = None
) -> Problem | None:
    """Join a channel; the socket's transport answers when it worked."""
    try:
        position = Position.parse(since) if since else None
        closed = socket.closed_because(check_channel(channel))
        if closed is not None and channel not in socket.channels:
            return Problem(closed, f"channel {channel!r} {CLOSED[closed]}")
        if channel in socket.channels and position is not None:
            # The answer to the first time may have been lost with the connection of a visit that went on.
            socket.tell_again(channel, position, command_id)
            return None
        if socket.ask_for(channel, position, token, command_id):
            return None
    except InvalidPosition as problem:
        return Problem("bad_since", str(problem))
    except InvalidChannel as problem:
        return Problem("bad_channel", str(problem))
    except TooManyChannels as problem:
        return Problem("too_many_channels", str(problem))
    if channel in socket.channels:
        return Problem("already_subscribed", f"channel {channel!r}: already subscribed")
    return Problem("refused", f"channel {channel!r}: refused")


def unsubscribe(socket: Socket, channel: Any) -> Problem | None:
    if isinstance(channel, str) and socket.unsubscribe(channel):
        return None
    return Problem("not_subscribed", "not subscribed to that channel")
