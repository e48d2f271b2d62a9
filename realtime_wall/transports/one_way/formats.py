"""How each kind of one-way listener is written to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Gap
from realtime_wall.channels.rules import Rule, Rules
from realtime_wall.channels.where import Where, wanted
from realtime_wall.node.fan_out.subscriber import Codec
from realtime_wall.protocol import event_stream, push_stream
from realtime_wall.protocol.http_stream import chunk
from realtime_wall.protocol.push_stream import DELETED, GAP, PING, RETRACTED, TIMED_OUT, Item, Template
from realtime_wall.protocol.websocket.deflate import Framing

# Where a browser waits longer before it comes back, a restart is felt; sooner, all come at once.
RETRY = 2000
CRLF = "\r\n"


@dataclass(frozen=True, slots=True)
class Format:
    content_type: str
    # One item, with the text that the channel's template makes of it.
    write: Callable[[Item, Template], str]
    # The first thing sent, with the channel's header.
    begin: Callable[[Rule], str]
    # Where the client stands.
    place: Callable[[Position], str]
    # What is sent to a silent client.
    ping: Callable[[Rule, Position], str]
    end: Callable[[Rule], str]
    # At least so many bytes that mean nothing.
    pad: Callable[[int], str]


def _event(item: Item, template: Template) -> str:
    name = {GAP: "gap", RETRACTED: "retracted"}.get(item.id, item.event)
    return event_stream.event_text(template(item), id=item.cursor or None, event=name)


def _unnamed_event(item: Item, template: Template) -> str:
    return event_stream.event_text(template(item), id=item.cursor or None)


def _begin_events(rule: Rule) -> str:
    return event_stream.comment_text(rule.header_template or "") + event_stream.retry_text(RETRY)


def _ping_events(rule: Rule, at: Position) -> str:
    return event_stream.comment_text(str(PING)) + event_stream.position_text(str(at))


PING_ITEM = Item(PING, "", '""')


def _ping_item(rule: Rule, at: Position) -> Item:
    return Item(PING, "", push_stream.json_of(rule.ping_text), cursor=str(at))


def _ping_text(rule: Rule, at: Position) -> str:
    template = push_stream.as_json if rule.ping_template is None else _template(rule.ping_template)
    return template(_ping_item(rule, at))


EVENTS = Format(
    "text/event-stream; charset=utf-8",
    _event,
    _begin_events,
    lambda at: event_stream.position_text(str(at)),
    _ping_events,
    lambda rule: event_stream.comment_text(rule.footer_template) if rule.footer_template else "",
    lambda size: ":" * size + "\n",
)
# For a client that cannot know the events' names: each is in the message. A script sees no comment, so that
# pings are messages, too; the first one proves that nothing on the way holds the stream back.
UNNAMED_EVENTS = replace(
    EVENTS,
    write=_unnamed_event,
    begin=lambda rule: _begin_events(rule) + event_stream.event_text(push_stream.as_json(PING_ITEM)),
    ping=lambda rule, at: event_stream.event_text(_ping_text(rule, at), id=str(at)),
)
LINES = Format(
    "application/json; charset=utf-8",
    lambda item, template: template(item) + CRLF,
    lambda rule: rule.header_template + CRLF if rule.header_template else "",
    lambda at: "",
    lambda rule, at: _ping_text(rule, at) + CRLF,
    lambda rule: rule.footer_template + CRLF if rule.footer_template else "",
    lambda size: CRLF * (size // 2 + 1),
)
# The page in a frame of pushstream.js.
FRAME = Format(
    "text/html; charset=utf-8",
    lambda item, template: push_stream.as_script_call(item),
    lambda rule: push_stream.FRAME_HEAD,
    lambda at: "",
    lambda rule, at: push_stream.as_script_call(_ping_item(rule, at)),
    lambda rule: push_stream.FRAME_FOOT,
    lambda size: " " * size + CRLF,
)


def item_of(message: Message) -> Item:
    position = message.position
    return Item(
        message.number if message.retracts is None else RETRACTED,
        message.channel,
        message.data_json,
        cursor=str(position),
        time=message.time,
        tag=str(position.offset),
        event=message.event,
        event_id=message.event_id,
    )


def gap_item(channel: str, position: Position) -> Item:
    return Item(GAP, channel, "null", cursor=str(position), tag=str(position.offset))


def deleted_item(channel: str, notice: str, position: Position) -> Item:
    return Item(DELETED, channel, push_stream.json_of(notice), cursor=str(position), tag=str(position.offset))


def timed_out_item(position: Position) -> Item:
    return Item(TIMED_OUT, "", '"Timed out"', cursor=str(position), tag=str(position.offset))


def gap_items(gap: Gap) -> list[Item]:
    *channels, last = gap.channels
    before = "" if gap.before is None else str(gap.before)
    held = [replace(gap_item(channel, gap.position), cursor=before) for channel in channels]
    return [*held, gap_item(last, gap.position)]


def items_of(missed: Iterable[Message | Gap]) -> list[Item]:
    items: list[Item] = []
    for one in missed:
        items += gap_items(one) if isinstance(one, Gap) else [item_of(one)]
    return items


def template_of(rule: Rule) -> Template:
    return push_stream.as_json if rule.message_template is None else _template(rule.message_template)


@lru_cache(1000)
def _template(text: str) -> Template:
    return push_stream.template(text)


def write(format: Format, rules: Rules, item: Item) -> str:
    # A channel's template is for its messages; what else happens has our own words.
    template = template_of(rules.of(item.channel)) if item.id > 0 else push_stream.as_json
    return format.write(item, template)


@lru_cache(1000)  # strangers choose what they want
def codec_of(
    format: Format, rules: Rules, chunked: bool, least: int = 0, where: Where | None = None
) -> Codec:
    """Messages for all listeners of a kind, of at least so many bytes each."""

    def encode(messages: list[Message]) -> bytes:
        texts = [write(format, rules, item_of(one)) for one in _heard(where, messages)]
        data = "".join(padded(format, one, least) for one in texts if one).encode()
        return chunk(data) if chunked else data

    return encode


def _heard(where: Where | None, messages: list[Message]) -> list[Message]:
    """What listeners want of what they may hear: they are in no namespace."""
    return wanted(where, [one for one in messages if one.is_for("")])


def padded(format: Format, text: str, least: int) -> str:
    missing = least - len(text.encode()) if least else 0
    return text + format.pad(missing) if missing > 0 else text


@lru_cache(1000)
def frames_of(rules: Rules, framing: Framing, where: Where | None = None) -> Codec:
    """Messages for those on a WebSocket of one framing."""

    def encode(messages: list[Message]) -> bytes:
        return b"".join(
            framing.text(text_of(item_of(one), rules).encode()) for one in _heard(where, messages)
        )

    return encode


def text_of(item: Item, rules: Rules) -> str:
    """An item alone, as a WebSocket or a poll has it."""
    return template_of(rules.of(item.channel))(item) if item.id > 0 else push_stream.as_json(item)
