"""What can go wrong, as a tree.

RealtimeWallError
    InvalidChannel          also a ValueError
    InvalidMessage          also a ValueError
        MessageTooBig
    InvalidPosition         also a ValueError
    HistoryLost
    TooManyChannels
    NoSocket
        NoServer
    PublishFailed
    BrokerUnreachable
    CannotStart
        UnsafeRuntimeDir
        LogUnusable
Refuse                      raised by user code, not by us
"""

from __future__ import annotations


class RealtimeWallError(Exception):
    """The root of everything this package raises."""


class InvalidChannel(RealtimeWallError, ValueError):
    """A channel name that cannot be used."""

    def __init__(self, name: object, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"channel {str(name)[:140]!r}: {reason}")


class InvalidMessage(RealtimeWallError, ValueError):
    """A message that some client could not read; nobody was sent anything."""


class MessageTooBig(InvalidMessage):
    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"the message has {size:,} bytes as JSON, the limit MESSAGE_SIZE is {limit:,}")


class InvalidPosition(RealtimeWallError, ValueError):
    """A cursor that this package did not write."""

    def __init__(self, text: object) -> None:
        self.text = text
        super().__init__(f"{str(text)[:80]!r} is no cursor; one looks like 'epoch:123'")


class HistoryLost(RealtimeWallError):
    """What follows a position can no longer be told; the client has to start afresh."""

    def __init__(self, channel: str, position: object) -> None:
        self.channel = channel
        self.position = position
        super().__init__(f"channel {channel!r} no longer knows what followed {position}")


class TooManyChannels(RealtimeWallError):
    """A socket is in as many channels as it may be."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"this connection is in {limit} channels already (CHANNELS_PER_CONNECTION)")


class NoSocket(RealtimeWallError):
    """Nobody is there to hear it."""


class NoServer(NoSocket):
    """No server of this project runs on this machine, or not where we looked."""

    def __init__(self, path: object) -> None:
        self.path = path
        super().__init__(
            f"no running server found in {path}; start one with 'manage.py rungevent' "
            "(as the same Unix user, or with REALTIME_WALL['RUNTIME_DIR'] set for both)"
        )


class PublishFailed(RealtimeWallError):
    """A server was there but did not confirm the message: it may or may not have been published."""


class BrokerUnreachable(RealtimeWallError):
    """A server cannot begin, or a question cannot be asked: what is in the setting BROKER does not answer."""

    def __init__(self, broker: str, reason: str) -> None:
        self.broker = broker
        self.reason = reason
        super().__init__(f"{broker} cannot be used: {reason}")


class CannotStart(RealtimeWallError):
    """A server that does not start, and why."""


class UnsafeRuntimeDir(CannotStart):
    """The directory of the server's Unix socket could be written by somebody else."""

    def __init__(self, path: object, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}; remove it or set REALTIME_WALL['RUNTIME_DIR']")


class LogUnusable(CannotStart):
    """The directory of the log cannot be read or written."""

    def __init__(self, path: object, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}; mend it, or set REALTIME_WALL['LOG_DIR'] to another directory")


class Refuse(Exception):  # noqa: N818
    """Raised by user code (a connect receiver, a permission hook) to turn a client away.

    ``data`` is told to the client: any JSON value, or nothing.
    """

    def __init__(self, data: object = None) -> None:
        self.data = data
        super().__init__(data)
