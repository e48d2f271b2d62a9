"""The signals that user code connects to.

They are blinker signals with two differences. Receivers run in the order in which they were
connected. And ``connect`` takes Django's ``dispatch_uid`` as well, so that Django's
``@receiver(signal, dispatch_uid=...)`` works on them.

Like Django's and blinker's own, a receiver is held weakly: one that is defined inside a function
is forgotten with it, unless it is connected with ``weak=False``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from itertools import count
from operator import itemgetter
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakMethod, ref

from blinker import ANY, NamedSignal
from blinker.base import ANY_ID

Receiver = Callable[..., Any]
R = TypeVar("R", bound=Receiver)


def name_of(receiver: Receiver) -> str:
    try:
        return f"{receiver.__module__}.{receiver.__qualname__}"
    except AttributeError:  # a partial, or an object that is called
        return f"{getattr(receiver, '__module__', '?')}.{getattr(receiver, '__qualname__', repr(receiver))}"


class _InOrder(set[Any]):
    """What blinker keeps its receivers in: a set that remembers in which order they were connected.

    A copy, or two sets in one, blinker only walks through: a list is what that takes.
    """

    _next = count()

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[Any, int] = {}
        # The receivers, or references to them, until they change; and whether none of them is a reference.
        self.found: tuple[Any, ...] | None = None
        self.all_strong = False

    def add(self, item: Any) -> None:
        super().add(item)
        self._numbers.setdefault(item, next(self._next))

    def discard(self, item: Any) -> None:
        super().discard(item)
        self._numbers.pop(item, None)
        self.found = None

    def copy(self) -> Any:
        return [*self._numbers]

    def __or__(self, other: Any) -> Any:
        """One order for those of everybody and those of one sender."""
        both = [*self._numbers.items(), *other._numbers.items()]
        both.sort(key=itemgetter(1))
        return [*dict(both)]  # whoever is in both has its first place


class Signal(NamedSignal):
    set_class = _InOrder

    def __init__(self, name: str, doc: str | None = None) -> None:
        super().__init__(name, doc)
        self._by_uid: WeakKeyDictionary[Any, dict[Hashable, ref[Receiver]]] = WeakKeyDictionary()

    def connect(
        self,
        receiver: R,
        sender: Any = ANY,
        weak: bool = True,
        dispatch_uid: Hashable | None = None,
    ) -> R:
        """Connect ``receiver(sender, **kwargs)``; ``sender`` limits it to one socket.

        A ``dispatch_uid`` that is already connected (for this sender) changes nothing, as in Django.
        """
        sender = ANY if sender is None else sender
        if dispatch_uid is not None:
            if self._connected_as(dispatch_uid, sender) is not None:
                return receiver
            self._by_uid.setdefault(sender, {})[dispatch_uid] = (
                WeakMethod(receiver) if inspect.ismethod(receiver) else ref(receiver)
            )
        super().connect(receiver, sender, weak)
        everybodys: Any = self._by_sender[ANY_ID]
        everybodys.found = None  # it may have been connected before, in the other way
        return receiver

    def disconnect(
        self, receiver: Receiver | None = None, sender: Any = ANY, dispatch_uid: Hashable | None = None
    ) -> None:
        sender = ANY if sender is None else sender
        if dispatch_uid is not None:
            receiver = self._connected_as(dispatch_uid, sender)
        if receiver is not None:
            super().disconnect(receiver, sender)

    def _connected_as(self, dispatch_uid: Hashable, sender: Any) -> Receiver | None:
        known = self._by_uid.get(sender, {}).get(dispatch_uid)
        receiver = None if known is None else known()
        return next((one for one in self.receivers_for(sender) if one == receiver), None)

    def receivers_for(self, sender: Any) -> Sequence[Receiver]:  # type: ignore[override]
        """The live receivers for a sender, in the order in which they were connected."""
        if not self.receivers:
            return ()
        everybodys: Any = self._by_sender[ANY_ID]
        if len(self._by_sender) > 1:  # somebody has receivers of his own
            return list(super().receivers_for(sender))
        found: tuple[Any, ...] | None = everybodys.found
        if found is None:
            found = everybodys.found = tuple([self.receivers.get(one) for one in everybodys.copy()])
            everybodys.all_strong = not any(one is None or isinstance(one, ref) for one in found)
        if everybodys.all_strong:
            return found
        live = [one() if isinstance(one, ref) else one for one in found]
        return [one for one in live if one is not None]


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
