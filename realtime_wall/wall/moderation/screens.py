"""Which screens show by now what was decided, and which do not?

A page that was opened with ``?screen=NAME`` answers for itself: it says what it still shows of what is to be
gone, and what it lacks of what is to be there. Screens that were seen lately and do not answer are named as
well. A name is whatever a browser says, so nothing but what moderators read depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

from django.utils import timezone

from realtime_wall import api
from realtime_wall.errors import NoSocket, RealtimeWallError
from realtime_wall.wall.models import Decision, Screen, State, Wall

PREFIX = "wall-screens."
PATIENCE = 1.0  # seconds, until who has not confirmed is named
PAUSE = 0.05
SEEN = timedelta(hours=12)
MOST = 50  # screens of a wall; a stranger may open pages with as many names as he likes
NAME_SIZE = 50


@dataclass(slots=True)
class ScreenReport:
    confirmed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        total = len(self.confirmed) + len(self.missing)
        named = f"; not: {', '.join(self.missing)}" if self.missing else ""
        return f"{len(self.confirmed)} of {total}, {self.seconds:.1f} s{named}"

    def as_message(self) -> dict[str, Any]:
        return asdict(self)


def screens_channel(slug: str) -> str:
    return PREFIX + slug


def confirm(wall: Wall, act_id: str) -> ScreenReport:
    """Ask the screens about an act, until all have confirmed it or that takes too long."""
    decisions = wall.decisions.filter(act=act_id).select_related("tweet")
    tweets = [decision.tweet for decision in decisions if decision.tweet is not None]
    there = [str(tweet) for tweet in tweets if tweet.state == State.SHOWN]
    gone = [str(tweet) for tweet in tweets if tweet.state != State.SHOWN]
    report = ask(wall, gone, there)
    Decision.objects.filter(act=act_id, wall=wall).update(screens=str(report)[:500])
    return report


def ask(wall: Wall, gone: Sequence[str] = (), there: Sequence[str] = ()) -> ScreenReport:
    began = monotonic()
    answers: dict[str, bool] = {}
    while True:
        left = PATIENCE - (monotonic() - began)
        answers |= _answers(wall, gone, there, max(left, PAUSE))
        if all(answers.values()) or left <= PAUSE:
            break
        sleep(PAUSE)
    seconds = round(monotonic() - began, 2)
    confirmed = sorted(name for name, is_done in answers.items() if is_done)
    expected = _remember(wall, list(answers))
    return ScreenReport(confirmed, sorted(expected - set(confirmed)), seconds)


def _answers(wall: Wall, gone: Sequence[str], there: Sequence[str], patience: float) -> dict[str, bool]:
    question = {"gone": list(gone), "there": list(there)}
    channel = screens_channel(wall.slug)
    try:
        found = api.broadcast_call("wall_check", question, channel=channel, timeout=patience).answers
    except (NoSocket, RealtimeWallError):
        return {}  # then none has confirmed it
    answers: dict[str, bool] = {}
    for answer in found.values():
        if isinstance(answer, dict) and isinstance(answer.get("screen"), str):
            name = answer["screen"].strip()[:NAME_SIZE]
            if name and name.isprintable() and (name in answers or len(answers) < MOST):
                # Two of one name are one screen: it has confirmed when both have.
                answers[name] = answers.get(name, True) and answer.get("left") == 0
    return answers


def _remember(wall: Wall, names: list[str]) -> set[str]:
    """All that are expected to answer."""
    now = timezone.now()
    known = set(wall.screens.values_list("name", flat=True))
    wall.screens.filter(name__in=names).update(seen=now)
    room = MOST - len(known)
    new = [Screen(wall=wall, name=name, seen=now) for name in names if name not in known]
    Screen.objects.bulk_create(new[: max(room, 0)], ignore_conflicts=True)
    return set(wall.screens.filter(seen__gte=now - SEEN).values_list("name", flat=True)) | set(names)
