"""Messages in the form that clients of nginx push stream read, and the templates that make another.

By default a message is a JSON object: ``id`` counts within its channel, ``text`` is what was published,
``time`` and ``tag`` together say its place. ``cursor`` is ours. Ids below zero are not messages: -1 is a
ping, -2 says that the channel was deleted, -3 that a long poll took too long, -4 that something was missed,
-5 that a message is taken back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

PING, DELETED, TIMED_OUT, GAP, RETRACTED = -1, -2, -3, -4, -5

_json = json.JSONEncoder(ensure_ascii=False).encode
_TOKEN = re.compile("~(id|text|size|channel|time|tag|event-id|event-type)~")
# What would end a script, or open a comment in one, inside an HTML page; and line ends of JavaScript.
_UNSAFE_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Item:
    """What is told of one message, or of something that is none."""

    id: int
    channel: str
    data_json: str
    cursor: str = ""
    time: float = 0.0  # since 1970
    tag: str = ""
    event: str | None = None
    event_id: str | None = None

    @property
    def http_time(self) -> str:
        return formatdate(self.time, usegmt=True) if self.time else ""

    @property
    def text(self) -> str:
        """What was published, when that was a text; else its JSON."""
        return json.loads(self.data_json) if self.data_json[:1] == '"' else self.data_json


def json_of(text: str) -> str:
    return _json(text)


# How a channel wants an item written.
Template = Callable[[Item], str]


def as_json(item: Item) -> str:
    event = "" if item.event is None else f',"event":{_json(item.event)}'
    return (
        f'{{"id":{item.id},"channel":{_json(item.channel)},"text":{item.data_json},"tag":{_json(item.tag)},'
        f'"time":{_json(item.http_time)},"eventid":{_json(item.event_id or "")},'
        f'"cursor":{_json(item.cursor)}{event}}}'
    )


def as_script_call(item: Item) -> str:
    """For the page in a frame of pushstream.js: a call of its function ``p``."""
    values = (item.id, item.channel, item.text, item.event_id or "", item.http_time, item.tag)
    arguments = ",".join(map(_json, values)).translate(_UNSAFE_IN_SCRIPT)
    return f"<script>p({arguments});</script>\r\n"


def template(text: str) -> Template:
    """A template in which ``~text~``, ``~id~`` and the like stand for a message's own.

    What is put in is not looked at again.
    """

    def fill(item: Item) -> str:
        def value(match: re.Match[str]) -> str:
            match match[1]:
                case "id":
                    return str(item.id)
                case "text":
                    return item.text
                case "size":
                    return str(len(item.text.encode()))
                case "channel":
                    return item.channel
                case "time":
                    return item.http_time
                case "tag":
                    return item.tag
                case "event-id":
                    return item.event_id or ""
                case _:
                    return item.event or ""

        return _TOKEN.sub(value, text)

    return fill


# The first stream of a page has the number 0, which pushstream.js leaves out of the address (it takes it for
# empty), and so it is not found by register().
FRAME_HEAD = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>stream</title></head><body>
<script>
parent.PushStream.register(window);
if (!window.p) parent.PushStreamManager[0].wrapper.register(window);
</script>
"""
FRAME_FOOT = "</body></html>\n"
