"""What is declared, as TypeScript and as AsyncAPI."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal

import jsonschema
import pytest
from django.core.management import call_command

from realtime_wall.typed_events import declared
from realtime_wall.typed_events.asyncapi import asyncapi
from realtime_wall.typed_events.declared import Declared
from realtime_wall.typed_events.typescript import typescript


class Mood(Enum):
    GLAD = "glad"
    SAD = "sad"


@dataclass
class Place:
    city: str
    seat: tuple[int, int] | None = None


@dataclass
class Said:
    """A line in a room."""

    text: str
    mood: Mood
    at: datetime
    where: list[Place] = field(default_factory=list)
    size: Literal["s", "l"] = "s"
    more: dict[str, float] | None = None
    rest: Any = None


@dataclass
class Say:
    text: str


EVENTS = [
    Declared(Said, "said", None),
    Declared(Say, "say", None, answers=[bool, Place], is_received=True),
    Declared(Place, "here", "both"),
]


def test_typescript_has_an_interface_for_each():
    assert (
        typescript(EVENTS).split("\n\n", 1)[1]
        == """\
export type Mood = "glad" | "sad";

export interface Place {
  city: string;
  seat?: [number, number] | null;
}

/** A line in a room. */
export interface Said {
  text: string;
  mood: Mood;
  at: string;
  where?: Array<Place>;
  size?: "s" | "l";
  more?: Record<string, number> | null;
  rest?: unknown;
}

export interface Say {
  text: string;
}

/** What a page emits, and what it is answered. */
export interface ClientEvents {
  "here": { message: Place; answer: null };
  "say": { message: Say; answer: boolean | Place };
}

/** What a page hears. */
export interface ServerEvents {
  "here": Place;
  "said": Said;
}
"""
    )


def payload(document, name):
    message = document["components"]["messages"][name]["payload"]
    return {**message, "components": document["components"]}


def test_asyncapi_has_schemas_that_messages_fit():
    document = asyncapi(EVENTS, "site", "1.0.0")
    json.dumps(document)
    is_valid = jsonschema.Draft7Validator(payload(document, "said")).is_valid

    assert document["operations"].keys() == {"receive_here", "send_here", "receive_say", "send_said"}
    said = {
        "text": "a",
        "mood": "sad",
        "at": "2026-11-29T12:00:00Z",
        "where": [{"city": "Bern", "seat": [1, 2]}],
    }
    assert is_valid({"type": "said", "message": said})
    for wrong in ({"text": 1}, {"mood": "angry"}, {"size": "m"}, {"where": [{}]}, {"colour": 1}):
        assert not is_valid({"type": "said", "message": {**said, **wrong}})


def test_the_commands_write_them(capsys, monkeypatch):
    monkeypatch.setattr(declared, "registry", {one.cls: one for one in EVENTS})

    call_command("realtime", "types")
    written = capsys.readouterr().out
    call_command("realtime", "asyncapi", "--title", "A chat")

    assert written == typescript(EVENTS)
    assert json.loads(capsys.readouterr().out)["info"]["title"] == "A chat"


@pytest.mark.parametrize("command", ["types", "asyncapi"])
def test_that_nothing_is_declared_is_said_beside_it(command, capsys, monkeypatch):
    monkeypatch.setattr(declared, "registry", {})

    call_command("realtime", command)

    assert "No event is declared" in capsys.readouterr().err
