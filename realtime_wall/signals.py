"""The signals that user code connects to.

They are blinker signals with three differences. Receivers run in the order in which they were
connected. ``connect`` takes Django's ``dispatch_uid`` as well, so that Django's
``@receiver(signal, dispatch_uid=...)`` works on them. And an ``async def`` receiver is refused:
it could never run here.

Like Django's and blinker's own, a receiver is held weakly: one that is defined inside a function
is forgotten with it, unless it is connected with ``weak=False``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Hashable
from typing import Any

from blinker import ANY, NamedSignal
from blinker._utilities import make_id

Receiver = Callable[..., Any]


class AsyncReceiver(TypeError):  # noqa: N818
    """An ``async def`` function was connected to a signal."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        name = f"{receiver.__module__}.{receiver.__qualname__}"
        super().__init__(
            f"{name} is an async function and would never run: receivers are plain functions, "
            "each in a greenlet of its own, where blocking calls wait without blocking others. "
            "Write 'def' instead of 'async def'"
        )


class Signal(NamedSignal):
    def __init__(self, name: str, doc: str | None = None) -> None:
        super().__init__(name, doc)
        self._by_uid: dict[Hashable, Receiver] = {}

    def connect(  # type: ignore[override]
        self,
        receiver: Receiver,
        sender: Any = ANY,
        weak: bool = True,
        dispatch_uid: Hashable | None = None,
    ) -> Receiver:
        """Connect ``receiver(sender, **kwargs)``; ``sender`` limits it to one socket.

        A ``dispatch_uid`` that is already connected changes nothing, as in Django.
        """
        if inspect.iscoroutinefunction(receiver):
            raise AsyncReceiver(receiver)
        if dispatch_uid is not None and self._by_uid.setdefault(dispatch_uid, receiver) is not receiver:
            return receiver
        return super().connect(receiver, ANY if sender is None else sender, weak)

    def disconnect(
        self, receiver: Receiver | None = None, sender: Any = ANY, dispatch_uid: Hashable | None = None
    ) -> None:
        if dispatch_uid is not None:
            receiver = self._by_uid.pop(dispatch_uid, receiver)
        if receiver is not None:
            super().disconnect(receiver, ANY if sender is None else sender)

    def receivers_for(self, sender: Any) -> Generator[Receiver, None, None]:
        """The live receivers for a sender, in the order in which they were connected."""
        # blinker walks a set, whose order is arbitrary; its ``receivers`` dict has kept the order.
        place = {key: index for index, key in enumerate(self.receivers)}
        found = list(super().receivers_for(sender))
        yield from sorted(found, key=lambda receiver: place.get(make_id(receiver), len(place)))


class SignalsByName(dict[str, Signal]):
    """Event name -> signal; a name that was never asked for makes its signal."""

    def __missing__(self, name: str) -> Signal:
        self[name] = signal = Signal(f"socket_client_event_by_type[{name!r}]")
        return signal


socket_connected = Signal("socket_connected", "sender: the socket; request. May raise Refuse.")
socket_disconnected = Signal("socket_disconnected", "sender: the socket; request. Once for each connection.")
socket_finished = Signal("socket_finished", "sender: the socket; request. Once, when it can never resume.")
socket_client_message = Signal("socket_client_message", "sender: the socket; request, message.")
socket_client_event = Signal("socket_client_event", "sender: the socket; request, event.")
socket_client_event_by_type = SignalsByName()
socket_subscribed = Signal("socket_subscribed", "sender: the socket; request, channel. False refuses.")
socket_unsubscribed = Signal("socket_unsubscribed", "sender: the socket; request, channel.")
socket_error = Signal("socket_error", "sender: the socket; request, exception (from another receiver).")
server_started = Signal("server_started", "sender: the node, once it listens.")
server_stopping = Signal("server_stopping", "sender: the node, before it closes its sockets.")
