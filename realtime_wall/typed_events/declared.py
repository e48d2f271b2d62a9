"""Which events has a site declared, with which types, and who sends them?

::

    @event
    @dataclass(frozen=True)
    class Say:
        text: str

is the event "say", whose message is an object with a ``text``. What has a receiver, by ``@on_event(Say)``,
is sent by pages; anything else by the server, as ``publish("room", Said(...))``.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints, overload

from realtime_wall.async_functions import result_of
from realtime_wall.errors import InvalidMessage
from realtime_wall.typed_events import json_types

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    # Of an event; or one that is declared, which is its arguments, too.
    Name = str | DataclassInstance
else:
    Name = str

T = TypeVar("T")
SENDERS = ("client", "server", "both")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


class DeclarationError(TypeError):
    """An event that cannot be declared like this."""


@dataclass(slots=True)
class Declared:
    cls: type
    name: str
    sender: str | None  # None: whoever has no receiver sends it
    answers: list[Any] = dataclasses.field(default_factory=list)  # what its receivers return
    is_received: bool = False

    @property
    def is_sent_by_client(self) -> bool:
        return self.sender in ("client", "both") or (self.sender is None and self.is_received)

    @property
    def is_sent_by_server(self) -> bool:
        return self.sender in ("server", "both") or (self.sender is None and not self.is_received)


registry: dict[type, Declared] = {}


@overload
def event(cls: type[T], /) -> type[T]: ...


@overload
def event(*, name: str | None = None, sender: str | None = None) -> Callable[[type[T]], type[T]]: ...


def event(cls: Any = None, /, *, name: str | None = None, sender: str | None = None) -> Any:
    """Declare an event: a dataclass, whose name is the event's, unless ``name`` is another.

    ``sender`` is "client", "server" or "both"; without it, whoever has no receiver sends it.
    """
    if cls is None:
        return lambda declared: event_of(declared, name, sender)
    return event_of(cls, name, sender)


def event_of(cls: type[T], name: str | None, sender: str | None) -> type[T]:
    if not isinstance(cls, type) or not dataclasses.is_dataclass(cls):
        raise DeclarationError(f"{cls!r} is no dataclass: write @dataclass(frozen=True) below @event")
    if sender is not None and sender not in SENDERS:
        raise DeclarationError(f"sender is one of {', '.join(SENDERS)}, not {sender!r}")
    problem = json_types.problem_with(cls)
    if problem is not None:
        raise DeclarationError(problem)
    name = name or "_".join(word.lower() for word in _WORD.findall(cls.__name__))
    for other in registry.values():
        if other.name == name and _place(other.cls) != _place(cls):
            raise DeclarationError(f"the event {name!r} is declared by {_place(other.cls)} already")
    registry[cls] = Declared(cls, name, sender)
    return cls


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def find(cls: object) -> Declared | None:
    return registry.get(cls) if isinstance(cls, type) else None


# Sent by the server


def event_and_data(event: str | None, data: Any) -> tuple[str | None, Any]:
    """The name and the JSON of a declared event; what is none stays as it is. Mismatch, an InvalidMessage."""
    found = registry.get(type(data))
    if found is None:
        return event, data
    if event is not None and event != found.name:
        raise InvalidMessage(f"{_place(found.cls)} is the event {found.name!r}, not {event!r}")
    json_types.check(found.cls, data, found.name)
    return found.name, json_types.to_json(data)


def name_and_args(name: Name, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """For verbs that take an event's name and its arguments: one declared event is both."""
    if isinstance(name, str):
        return name, args
    if args or type(name) not in registry:
        raise InvalidMessage(f"{name!r} is no event name and no declared event")
    _, data = event_and_data(None, name)
    return registry[type(name)].name, (data,)


# Sent by a page


def receiver_for(found: Declared, handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, called with what was declared; a page that sends something else is answered so."""
    hints = _hints_of(handler)
    answer = hints.get("return", Any)
    given = hints.get(_fourth(handler), Any)
    if given not in (found.cls, Any):
        raise DeclarationError(f"{handler.__qualname__} is given a {found.cls.__name__}, not {given}")
    found.is_received = True
    if answer is not type(None) and answer is not None:
        found.answers.append(answer)

    def checked(request: Any, socket: Any, context: Any, event: Any) -> Any:
        try:
            value = json_types.read(found.cls, event.data, found.name)
        except json_types.Mismatch as problem:
            log.info("%r sent no %s: %s", socket, found.name, problem)
            event.ack({"error": "invalid", "message": str(problem)})
            return None
        answered = result_of(handler(request, socket, context, value))
        json_types.check(answer, answered, f"the answer to {found.name}")
        return json_types.to_json(answered)

    return checked


def _fourth(handler: Callable[..., Any]) -> str:
    """The name of what it is given behind request, socket and context."""
    names = [*inspect.signature(handler).parameters]
    if len(names) < 4:
        raise DeclarationError(f"{handler.__qualname__} takes (request, socket, context, event)")
    return names[3]


def _hints_of(handler: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(handler)
    except (NameError, TypeError):  # a type that is imported for the checker only
        return {}
