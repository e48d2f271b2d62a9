"""A moderator decides: what a post becomes, once, and who has decided it.

A decision names the state that the moderator has seen. Of two who decide at once the first one's is taken,
and the other is told so. It is written with the state, in one transaction. Whoever made it then publishes
it, and if he cannot, whoever has the delay line does.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet

from realtime_wall.wall.models import Ban, Decision, State, Tweet, Wall
from realtime_wall.wall.moderation.admission import is_banned
from realtime_wall.wall.programs.webhook_queue import note_decisions
from realtime_wall.wall.write_transaction import write_transaction

# Of which states, and what a post becomes.
ACTIONS: Mapping[str, tuple[tuple[State, ...], State]] = {
    "approve": ((State.WAITING, State.HIDDEN), State.SHOWN),
    "hide": ((State.WAITING, State.SHOWN), State.HIDDEN),
    "dump": ((State.WAITING,), State.HIDDEN),
    "ban": ((State.WAITING, State.SHOWN), State.HIDDEN),
}
MOST = 500  # posts at once


@dataclass(frozen=True, slots=True)
class Choice:
    """A post, and the state that it had when somebody chose it."""

    key: str
    seen: str


@dataclass(slots=True)
class Act:
    """What a moderator did at once; it is undone as a whole."""

    id: str
    action: str
    by: str
    wall_id: int
    decided: list[Decision] = field(default_factory=list)
    late: list[Tweet] = field(default_factory=list)  # somebody else had decided


def new_act(wall: Wall, action: str, by: str, act_id: str = "") -> Act:
    return Act(act_id or secrets.token_hex(8), action, by[:150], wall.pk)


def decide(wall: Wall, action: str, choices: Iterable[Choice], by: str, reason: str = "") -> Act:
    """KeyError for an action that there is not."""
    states, becomes = ACTIONS[action]
    act = new_act(wall, action, by)
    with write_transaction():
        for choice in choices:
            if choice.seen in states:
                _decide_one(wall, act, choice, becomes, reason)
            else:
                act.late += _found(wall, choice.key)
        if becomes == State.HIDDEN:
            _hide_retweets(wall, act)
        note_decisions(wall, act.decided)
    return act


def dump(wall: Wall, by: str) -> Act:
    """Hide everything that waits for nobody but the clock."""
    line = wall.tweets.filter(state=State.WAITING, show_at__isnull=False).order_by("id")
    keys = [Choice(str(tweet), State.WAITING) for tweet in line.only("source", "post_id")]
    return decide(wall, "dump", keys, by)


def undo(wall: Wall, act_id: str, by: str) -> Act:
    """Each of its posts becomes what it was, unless somebody has decided about it since."""
    act = new_act(wall, "undo", by)
    with write_transaction():
        for before in wall.decisions.filter(act=act_id).exclude(act="").order_by("id"):
            _decide_one(wall, act, Choice(before.key, before.became), State(before.was), "")
        note_decisions(wall, act.decided)
    return act


def ban(walls: Sequence[Wall], new: Ban) -> list[Act]:
    """From now on; and what he has posted, or passed on, is hidden. An act of each wall, of one id."""
    acts = []
    with write_transaction():
        new.act = secrets.token_hex(8)
        new.save()
        for wall in walls:
            act = new_act(wall, "ban", new.by, new.act)
            for tweet in _posts_of(wall, new):
                _decide_one(wall, act, Choice(str(tweet), tweet.state), State.HIDDEN, "ban")
            _hide_retweets(wall, act)
            note_decisions(wall, act.decided)
            acts.append(act)
    return acts


def lift(walls: Sequence[Wall], ban: Ban, by: str) -> list[Act]:
    """The ban ends, and what it hid is there again."""
    with write_transaction():
        Ban.objects.filter(pk=ban.pk).delete()
        return [undo(wall, ban.act, by) for wall in walls]


def _posts_of(wall: Wall, ban: Ban) -> list[Tweet]:
    rows = wall.tweets.filter(state__in=(State.SHOWN, State.WAITING), source=ban.source).order_by("id")
    return [tweet for tweet in rows.iterator() if is_banned(tweet.content, ban)]


def _decide_one(wall: Wall, act: Act, choice: Choice, becomes: State, reason: str) -> None:
    source, _, post_id = choice.key.partition(":")
    change: dict[str, Any] = {"state": becomes, "reason": reason, "show_at": None}
    if becomes == State.SHOWN:
        change["publications"] = F("publications") + 1
    of_wall = wall.tweets.filter(source=source, post_id=post_id)
    if not of_wall.filter(state=choice.seen).update(**change):
        act.late += of_wall
        return
    decision = Decision(wall=wall, tweet=of_wall.get(), key=choice.key, act=act.id)
    decision.action, decision.by = act.action, act.by
    decision.was, decision.became, decision.reason = choice.seen, becomes, reason
    decision.save()
    act.decided.append(decision)


def _hide_retweets(wall: Wall, act: Act) -> None:
    """Who is hidden is not shown by way of others, either."""
    for tweet in [decision.tweet for decision in act.decided]:
        assert tweet is not None  # just now
        # Whoever passes something on does so later: so the index leaves few to look at.
        retweets = wall.tweets.filter(
            state=State.SHOWN,
            source=tweet.source,
            created_at__gte=tweet.created_at,
            content__original_id=tweet.post_id,
        )
        for retweet in retweets.only("source", "post_id"):
            _decide_one(wall, act, Choice(str(retweet), State.SHOWN), State.HIDDEN, "original")


def _found(wall: Wall, key: str) -> QuerySet[Tweet]:
    source, _, post_id = key.partition(":")
    return wall.tweets.filter(source=source, post_id=post_id)
