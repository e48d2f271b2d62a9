"""What can a moderator's page ask for? Each action by its name, with what it is given checked.

The database part runs in a thread; then it is published, and whoever asked is answered with what became of
each post, and with what somebody else had decided before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from time import sleep
from typing import Any

from django.db import OperationalError
from django.utils import timezone

from realtime_wall import api
from realtime_wall.errors import RealtimeWallError
from realtime_wall.wall.changes.change_table import WallChange
from realtime_wall.wall.changes.wall_changes import ChangedSince, change, undo_change
from realtime_wall.wall.models import Ban, Mode, State, Tweet, Wall
from realtime_wall.wall.moderation import decisions
from realtime_wall.wall.moderation.decisions import Act, Choice
from realtime_wall.wall.moderation.desk_channel import desk_channel
from realtime_wall.wall.moderation.open_pages import publish_decisions
from realtime_wall.wall.moderation.pinned_post import publish_pinned
from realtime_wall.wall.moderation.rights import ALL
from realtime_wall.wall.moderation.screens import confirm
from realtime_wall.wall.phone_posts.picture import can_take_posts
from realtime_wall.wall.phone_posts.post_token import new_key, token_of
from realtime_wall.wall.queries.desk import found_by

Asked = Mapping[str, Any]
Answer = dict[str, Any]
LONGEST_DELAY = 3600
PAUSES = (0.02, 0.05, 0.1, 0.2)  # seconds, between attempts to store it
LONGEST_BAN = 366 * 24 * 3600


class BadAct(ValueError):
    """A question that makes no sense, and why."""


class Forbidden(Exception):
    """Not for this moderator."""


def perform(wall: Wall, user: Any, asked: Asked) -> Answer:
    """BadAct for what cannot be understood, Forbidden for what only others may."""
    action = asked.get("action")
    if not isinstance(action, str) or action not in _ACTIONS:
        raise BadAct(f"there is no action {str(action)[:40]!r}")
    return _ACTIONS[action](wall, user, asked)


def _decide(wall: Wall, user: Any, asked: Asked) -> Answer:
    choices, action = _choices(asked), asked["action"]
    act = stored(lambda: decisions.decide(wall, action, choices, user.get_username()))
    return _published(wall, act)


def _dump(wall: Wall, user: Any, asked: Asked) -> Answer:
    return _published(wall, stored(lambda: decisions.dump(wall, user.get_username())))


def _undo(wall: Wall, user: Any, asked: Asked) -> Answer:
    act_id = _text(asked, "act", 32)
    ban = Ban.objects.filter(act=act_id).first()
    if ban is not None:
        return _lift(wall, user, ban)
    nothing: Answer = {"act": act_id, "decided": [], "late": [], "pages": 0}
    try:
        made = stored(lambda: undo_change(wall, act_id, user.get_username()))
    except ChangedSince as problem:
        return nothing | {"late": [{"key": str(problem), "state": ""}]}
    if made is not None:
        return nothing | {"act": made.act} | _publish_change(wall, made)
    return _published(wall, stored(lambda: decisions.undo(wall, act_id, user.get_username())))


def _confirm(wall: Wall, user: Any, asked: Asked) -> Answer:
    act_id = _text(asked, "act", 32)
    return {"screens": confirm(wall, act_id).as_message()}


def _ban(wall: Wall, user: Any, asked: Asked) -> Answer:
    is_everywhere, seconds = asked.get("everywhere") is True, asked.get("seconds") or 0
    if is_everywhere and not user.has_perm(ALL):
        raise Forbidden("only who may moderate every wall bans on all of them")
    if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_BAN:
        raise BadAct("'seconds' is how long a ban lasts, 0 for good")
    tweet = found_by(wall, _text(asked, "key", 100))
    if tweet is None:
        raise BadAct("there is no such post")
    new = _ban_of(tweet, user, seconds)
    new.wall = None if is_everywhere else wall
    walls = list(Wall.objects.all()) if is_everywhere else [wall]
    return _published_on(walls, stored(lambda: decisions.ban(walls, new)), wall)


def _ban_of(tweet: Tweet, user: Any, seconds: int) -> Ban:
    """Of whoever brought the post here: of what was passed on, who did that."""
    content = tweet.content
    until = timezone.now() + timedelta(seconds=seconds) if seconds else None
    ban = Ban(source=tweet.source, until=until, by=user.get_username()[:150])
    if content.get("retweeted_by_username"):
        ban.username, ban.name = content["retweeted_by_username"], content["retweeted_by"]
    else:
        ban.author_id, ban.username = content["author_id"], content["author_username"]
        ban.name = content["author_name"]
    if not (ban.author_id or ban.username):
        raise BadAct("its author has no name that could be banned")
    return ban


def _unban(wall: Wall, user: Any, asked: Asked) -> Answer:
    number = asked.get("ban")
    ban = Ban.objects.filter(pk=number).first() if isinstance(number, int) else None
    if ban is None:
        raise BadAct("there is no such ban")
    return _lift(wall, user, ban)


def _lift(wall: Wall, user: Any, ban: Ban) -> Answer:
    """A ban of every wall was made by who may moderate them all, and is lifted by such a one."""
    if ban.wall_id != wall.pk and not user.has_perm(ALL):
        raise Forbidden("this ban is not of this wall alone")
    by, walls = user.get_username(), [wall] if ban.wall_id else list(Wall.objects.all())
    acts = stored(lambda: decisions.lift(walls, ban, by))
    return _published_on(walls, acts, wall)


def _mode(wall: Wall, user: Any, asked: Asked) -> Answer:
    mode, delay = asked.get("mode"), asked.get("delay", wall.delay)
    if mode not in Mode.values:
        raise BadAct("'mode' is one of " + ", ".join(Mode.values))
    if not isinstance(delay, int) or isinstance(delay, bool) or not 1 <= delay <= LONGEST_DELAY:
        raise BadAct(f"'delay' is from 1 to {LONGEST_DELAY} seconds")
    return _changed(wall, user, "mode", {"mode": mode, "delay": delay})


def _pin(wall: Wall, user: Any, asked: Asked) -> Answer:
    """No key: nothing is pinned from now on."""
    tweet = found_by(wall, _text(asked, "key", 100)) if asked.get("key") else None
    return _changed(wall, user, "pin", {"pinned_id": tweet.pk if tweet else None})


def _phones(wall: Wall, user: Any, asked: Asked) -> Answer:
    """Let phones post, with a new code; or let none."""
    is_open = asked.get("open") is True
    if is_open and not can_take_posts():
        raise BadAct("this needs Pillow and segno: pip install realtime-wall[phone]")
    return _changed(wall, user, "phones", {"post_key": new_key() if is_open else ""})


def _changed(wall: Wall, user: Any, action: str, values: Mapping[str, Any]) -> Answer:
    made = stored(lambda: change(wall, action, user.get_username(), values))
    return {"act": made.act} | _publish_change(wall, made)


def _publish_change(wall: Wall, made: WallChange) -> Answer:
    """What the pages have to know of it."""
    if made.action == "pin":
        return dict(publish_pinned(wall))
    if made.action == "phones":
        return {"token": token_of(wall)}
    message = {"mode": wall.mode, "delay": wall.delay, "by": made.by}
    _publish_quietly(desk_channel(wall.slug), message, "desk_mode")
    return message


_ACTIONS: dict[str, Callable[[Wall, Any, Asked], Answer]] = {
    "approve": _decide,
    "hide": _decide,
    "dump": _dump,
    "undo": _undo,
    "confirm": _confirm,
    "ban": _ban,
    "unban": _unban,
    "mode": _mode,
    "pin": _pin,
    "phones": _phones,
}


def stored(function: Callable[[], Any]) -> Any:
    """SQLite may refuse at once what it would take a moment later, while others write."""
    for pause in PAUSES:
        try:
            return api.run_in_threadpool(function)
        except OperationalError:
            sleep(pause)
    return api.run_in_threadpool(function)


def _published(wall: Wall, act: Act) -> Answer:
    pages = publish_decisions(wall, act.decided)
    return {
        "act": act.id,
        "decided": [{"key": one.key, "state": one.became} for one in act.decided],
        "late": [{"key": str(tweet), "state": tweet.state} for tweet in act.late],
        "pages": pages,
    }


def _published_on(walls: list[Wall], acts: list[Act], asked_on: Wall) -> Answer:
    """Of several walls; the answer is about the one where it was asked for."""
    answers = {wall.pk: _published(wall, act) for wall, act in zip(walls, acts, strict=True)}
    return answers[asked_on.pk]


def _publish_quietly(channel: str, message: Any, event: str) -> None:
    """What other moderators see a moment later at the latest, when they look again."""
    try:
        api.publish(channel, message, event)
    except RealtimeWallError:
        return


def _choices(asked: Asked) -> list[Choice]:
    posts = asked.get("posts")
    if not isinstance(posts, list) or not 0 < len(posts) <= decisions.MOST:
        raise BadAct(f"'posts' is a list of 1 to {decisions.MOST} posts")
    found = []
    for one in posts:
        if not isinstance(one, dict) or one.get("seen") not in State.values:
            raise BadAct("a post is named by its 'key' and by the state 'seen'")
        found.append(Choice(_text(one, "key", 100), one["seen"]))
    return found


def _text(asked: Asked, name: str, size: int) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= size or not value.isprintable():
        raise BadAct(f"{name!r} has to be a text")
    return value
