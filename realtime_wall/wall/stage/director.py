"""What is the director's state, and what may be changed of it? All open pages follow it at once.

It is one small object of the wall: stored, so that a page that opens later has it, and published on the
wall's channel, in order with the posts. It names the post that has the stage by its key alone, as whoever
directs has seen it: that is how all screens come to show the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from django.db.models import F

from realtime_wall import api
from realtime_wall.errors import NoServer
from realtime_wall.wall.models import State, Tweet, Wall
from realtime_wall.wall.moderation.desk_acts import BadAct, stored
from realtime_wall.wall.queries.desk import found_by
from realtime_wall.wall.stage.tables import Director, Layout
from realtime_wall.wall.write_transaction import write_transaction

Message = dict[str, Any]
EVENT = "wall_directed"
SPEEDS = (0.25, 4.0)
MESSAGE_SIZE = 280
MOVES = {"post", "paused", "blank", "speed"}  # after these, posts come round from where they are now
LONGEST = 24 * 3600  # seconds of a message, or of a countdown
USUAL: Message = {
    "at": 0,
    "paused": False,
    "blank": False,
    "speed": 1.0,
    "layout": "",
    "post": "",
    "message": None,
    "countdown": None,
    "slide": None,
}


def state_of(wall: Wall) -> Message:
    """As pages are sent it; a post that was hidden since is not in it."""
    director = Director.objects.filter(wall=wall).first()
    if director is None:
        return {"seq": 0} | USUAL
    state: Message = {"seq": director.number} | USUAL | director.state
    if state["post"] and staged(wall, state) is None:
        state["post"] = ""
    return state


def staged(wall: Wall, state: Mapping[str, Any]) -> Tweet | None:
    """The post that the director put on the stage, if it may be shown."""
    tweet = found_by(wall, state["post"]) if state["post"] else None
    return tweet if tweet is not None and tweet.state == State.SHOWN else None


def direct(wall: Wall, asked: Mapping[str, Any]) -> Message:
    """Change what is named, and nothing else; the state then. BadAct for what makes no sense."""
    unknown = asked.keys() - _CHECKS.keys()
    if unknown or not asked:
        raise BadAct(f"there is nothing to change called {', '.join(sorted(unknown))[:80]!r}")
    changes = {name: _CHECKS[name](wall, value) for name, value in asked.items()}
    state: Message = stored(lambda: _store(wall, changes))
    with suppress(NoServer):  # then no page is open
        api.publish(wall.channel, state, EVENT)
    return state


def _store(wall: Wall, changes: Message) -> Message:
    with write_transaction():
        Director.objects.get_or_create(wall=wall)
        # Of two who direct at once the second builds on what the first has written.
        Director.objects.filter(wall=wall).update(number=F("number") + 1)
        director = Director.objects.get(wall=wall)
        director.state = USUAL | director.state | changes
        if changes.keys() & MOVES:
            director.state["at"] = _now()
        director.save(update_fields=["state"])
    state: Message = {"seq": director.number} | director.state
    return state


def _now() -> int:
    """In milliseconds, as the pages count."""
    return time.time_ns() // 1_000_000


# -- what each part of the state may be


def _switch(wall: Wall, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadAct("a switch is true or false")
    return value


def _speed(wall: Wall, value: object) -> float:
    slowest, fastest = SPEEDS
    if isinstance(value, bool) or not isinstance(value, int | float) or not slowest <= value <= fastest:
        raise BadAct(f"'speed' is from {slowest} to {fastest}")
    return float(value)


def _layout(wall: Wall, value: object) -> str:
    if value != "" and value not in Layout.values:
        raise BadAct("'layout' is one of " + ", ".join(Layout.values) + ", or empty for the wall's own")
    return str(value)


def _post(wall: Wall, value: object) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise BadAct("'post' is the key of a post")
    return value if staged(wall, {"post": value}) else ""


def _message(wall: Wall, value: object) -> Message | None:
    """``{"text", "seconds"}``; without seconds it stays until it is taken away."""
    if value is None:
        return None
    text, seconds = _timed(value)
    if not text:
        raise BadAct("a message has a 'text'")
    return {"text": text, "until": _now() + 1000 * seconds if seconds else 0}


def _countdown(wall: Wall, value: object) -> Message | None:
    if value is None:
        return None
    text, seconds = _timed(value)
    if not seconds:
        raise BadAct("a countdown has 'seconds'")
    return {"text": text, "until": _now() + 1000 * seconds}


def _slide(wall: Wall, value: object) -> Message | None:
    """At once, whatever the rota says."""
    if value is None:
        return None
    if not isinstance(value, int) or not wall.slides.filter(pk=value).exists():
        raise BadAct("there is no such slide")
    return {"id": value, "at": _now()}


def _timed(value: object) -> tuple[str, int]:
    if not isinstance(value, dict):
        raise BadAct("it has a 'text' and 'seconds'")
    text, seconds = value.get("text", ""), value.get("seconds", 0)
    if not isinstance(text, str) or len(text) > MESSAGE_SIZE:
        raise BadAct(f"'text' has up to {MESSAGE_SIZE} characters")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST:
        raise BadAct(f"'seconds' are up to {LONGEST}")
    return text.strip(), seconds


_CHECKS: Mapping[str, Callable[[Wall, object], object]] = {
    "paused": _switch,
    "blank": _switch,
    "speed": _speed,
    "layout": _layout,
    "post": _post,
    "message": _message,
    "countdown": _countdown,
    "slide": _slide,
}
