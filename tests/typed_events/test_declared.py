"""An event is declared once, and what is not of its types neither reaches a receiver nor a page."""

import logging
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from django.http import HttpRequest

from realtime_wall import broadcast_emit, publish, signals
from realtime_wall.errors import InvalidMessage
from realtime_wall.events import EventError, event, on_connect, on_event
from realtime_wall.sockets.socket import Socket
from realtime_wall.testing import Realtime
from realtime_wall.typed_events import declared
from realtime_wall.typed_events.declared import DeclarationError


class Mood(Enum):
    GLAD = "glad"
    SAD = "sad"


@dataclass(frozen=True)
class Place:
    city: str
    seat: tuple[int, int] | None = None


@pytest.fixture(scope="module", autouse=True)
def declarations():
    """Declared for this module only, with their receivers."""
    kept, names = dict(declared.registry), set(signals.socket_client_event_by_type)
    connected = dict(signals.socket_connected.receivers)
    declared.registry.clear()
    yield declare()
    declared.registry.clear()
    declared.registry.update(kept)
    for name in set(signals.socket_client_event_by_type) - names:
        del signals.socket_client_event_by_type[name]
    for number in set(signals.socket_connected.receivers) - connected.keys():
        signals.socket_connected.disconnect(signals.socket_connected.receivers[number])


received = []


def declare():
    @event
    @dataclass(frozen=True)
    class SayAloud:
        text: str
        at: date | None = None
        where: Place | None = None
        tags: list[str] = field(default_factory=list)
        mood: Mood = Mood.GLAD
        price: Decimal | float = 0.0
        size: Literal["s", "l"] = "s"
        more: dict[str, int] = field(default_factory=dict)

    @event(name="said")
    @dataclass(frozen=True)
    class Said:
        text: str
        mood: Mood
        where: Place | None = None

    @on_event(SayAloud)
    def say(request: HttpRequest, socket: Socket, context: dict[str, Any], message: SayAloud) -> bool:
        received.append(message)
        publish("lobby", Said(message.text, message.mood, message.where))
        socket.emit(Said("an echo", Mood.SAD))
        return message.text if message.text == "a wrong answer" else True

    return SayAloud, Said


@pytest.fixture(scope="module")
def site(declarations):
    with Realtime() as realtime:
        yield realtime


@pytest.fixture(scope="module")
def ada(site):
    return site.connect(channels=["lobby"])


def test_a_receiver_is_given_what_was_declared(ada, declarations):
    sent = {"text": "hi", "at": "2026-11-29", "where": {"city": "Bern", "seat": [3, 4]}, "mood": "sad"}
    sent |= {"tags": ["a"], "price": "9.90", "more": {"n": 1}}

    assert ada.call("say_aloud", sent) is True

    found = received.pop()
    assert found == declarations[0](
        "hi", date(2026, 11, 29), Place("Bern", (3, 4)), ["a"], Mood.SAD, Decimal("9.90"), "s", {"n": 1}
    )
    said = [ada.receive("said") for _ in range(2)]
    assert {(one.data["text"], one.data["mood"], one.channel) for one in said} == {
        ("hi", "sad", "lobby"),
        ("an echo", "sad", None),
    }
    assert [one.data["where"] for one in said if one.channel] == [{"city": "Bern", "seat": [3, 4]}]


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ("hi", "say_aloud should be an object, and is str"),
        ({}, "say_aloud.text should be there"),
        ({"text": 1}, "say_aloud.text should be str, and is int"),
        ({"text": "a", "at": "soon"}, "say_aloud.at should be date or None"),
        ({"text": "a", "where": {"city": None}}, "say_aloud.where.city should be str"),
        ({"text": "a", "where": {"city": "B", "seat": [1]}}, "say_aloud.where.seat should be"),
        ({"text": "a", "tags": ["a", 2]}, r"say_aloud.tags[1] should be str"),
        ({"text": "a", "mood": "angry"}, "say_aloud.mood should be one of 'glad', 'sad'"),
        ({"text": "a", "size": "m"}, "say_aloud.size should be one of 's', 'l'"),
        ({"text": "a", "more": {"n": True}}, "say_aloud.more.n should be int, and is bool"),
        ({"text": "a", "colour": 1}, "say_aloud.colour should be left out"),
    ],
)
def test_what_was_not_declared_reaches_no_receiver(sent, wrong, ada, caplog):
    with caplog.at_level(logging.INFO, logger="realtime_wall.typed_events.declared"):
        answer = ada.call("say_aloud", sent)

    assert answer["error"] == "invalid" and wrong in answer["message"]
    assert received == []
    assert len(caplog.records) == 1 and caplog.records[0].levelname == "INFO"
    ada.assert_nothing_sent()


def test_an_answer_that_was_not_declared_is_a_failure_of_the_receiver(ada, caplog):
    assert ada.call("say_aloud", {"text": "a wrong answer"}) == {"error": "failed"}

    assert "the answer to say_aloud should be bool, and is str" in caplog.text
    received.clear()
    for _ in range(2):
        ada.receive("said")


def test_what_the_server_sends_is_checked_where_it_is_sent(site, ada, declarations):
    _, said = declarations

    for send in (lambda one: publish("lobby", one), broadcast_emit):
        with pytest.raises(InvalidMessage, match="said.text should be str, and is int"):
            send(said(5, Mood.SAD))
    with pytest.raises(InvalidMessage, match="is the event 'said', not 'shout'"):
        publish("lobby", said("a", Mood.SAD), event="shout")
    with pytest.raises(InvalidMessage, match="no event name and no declared event"):
        broadcast_emit(Place("Bern"))
    ada.assert_nothing_sent()


def test_who_sends_an_event_is_known(declarations):
    say, said = map(declared.find, declarations)

    assert (say.is_sent_by_client, say.is_sent_by_server, say.answers) == (True, False, [bool])
    assert (said.is_sent_by_client, said.is_sent_by_server) == (False, True)


def test_what_cannot_be_declared_is_refused():
    class Plain:
        text: str

    @dataclass
    class Sets:
        of: set[int]

    @dataclass
    class Said:
        text: str

    for wrong, why in ((Plain, "no dataclass"), (Sets, "Sets.of: JSON has no set"), (Said, "declared by")):
        with pytest.raises(DeclarationError, match=why):
            event(wrong)
    with pytest.raises(DeclarationError, match="sender is one of"):
        event(sender="page")(Said)
    with pytest.raises(EventError, match="no declared event"):
        on_event(Plain)


def test_a_handler_of_another_event_is_refused(declarations):
    def wrong(request, socket, context, message: Place) -> None: ...

    with pytest.raises(DeclarationError, match="is given a SayAloud"):
        on_event(declarations[0])(wrong)
    with pytest.raises(DeclarationError, match="takes .request, socket, context, event."):
        on_event(declarations[0])(lambda request: None)
    assert on_connect(wrong) is wrong
