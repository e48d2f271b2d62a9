"""Plays a recorded file of posts at its own pace: a wall without an account and without a network.

Each line is what X's API v2 stream sends, ``{"data": ..., "includes": ..., "matching_rules": ...}``, or what
``manage.py realtime record`` wrote of a wall's channel, edits and removals among them.
A pass through the file gives every post a fresh id and the present time, so that it is new to the
wall, also after a restart. ``sample:NAME`` as the address of a picture means one of the pictures
that come with the wall.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from django.templatetags.static import static
from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.post import BadPost, Post, Removal, web_url
from realtime_wall.wall.sources.recording import from_recording, is_recording
from realtime_wall.wall.sources.source import Emit, SourceGaveUp
from realtime_wall.wall.sources.x.x_payload import SITE, from_x, read_line

logger = logging.getLogger(__name__)

SAMPLE = Path(__file__).parent.parent / "samples" / "conference.jsonl"
# The people of the sample are invented: their links must not lead to somebody's real account.
SAMPLE_SITE = "https://posts.example"
PAUSE = 2.0  # between two passes, so that a short file in a loop is no storm
LONGEST_GAP = 600.0  # one wrong date in a recording must not silence the wall for years

_NO_TIME = datetime.max.replace(tzinfo=UTC)
_PICTURE = re.compile(r"sample:([a-z0-9-]+\.svg)")


class ReplaySource:
    name = "replay"

    def __init__(
        self,
        path: Path | str = SAMPLE,
        *,
        speed: float = 1.0,
        loop: bool = False,
        site: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"a replay cannot have the speed {speed!r}")
        self.path = Path(path)
        self.speed = speed
        self.loop = loop
        self.skipped = 0
        self._site = site or (SAMPLE_SITE if self.path == SAMPLE else SITE)
        self._clock = clock or SystemClock()
        self._stopping = Event()
        # The millisecond in which this pass began: it makes the ids new, over restarts too.
        self._pass = 0

    def run(self, emit: Emit) -> None:
        while not self._stopping.is_set():
            if not self._play(emit):
                raise SourceGaveUp(f"{self.path} holds no post to play")
            if not self.loop or self._clock.wait(self._stopping, PAUSE / self.speed):
                return

    def stop(self) -> None:
        self._stopping.set()

    def _play(self, emit: Emit) -> bool:
        """One pass; whether there was anything in it."""
        self._pass = max(int(self._clock.now() * 1000), self._pass + 1)
        due = self._clock.elapsed()
        before: datetime | None = None
        played = False
        for post in self._recorded():
            if isinstance(post, Post) and post.created_at != _NO_TIME:
                due += _gap(before, post.created_at) / self.speed
                before = post.created_at
            wait = due - self._clock.elapsed()
            if self._stopping.is_set() or (wait > 0 and self._clock.wait(self._stopping, wait)):
                return True
            emit(self._fresh(post))
            played = True
        return played

    def _fresh(self, post: Post | Removal) -> Post | Removal:
        if isinstance(post, Removal):
            return replace(post, id=f"{post.id}-{self._pass:x}")
        return replace(
            post,
            id=f"{post.id}-{self._pass:x}",
            original_id=f"{post.original_id}-{self._pass:x}" if post.original_id else "",
            cursor="",
            created_at=datetime.fromtimestamp(self._clock.now(), UTC),
        )

    def _recorded(self) -> Iterator[Post | Removal]:
        try:
            with self.path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield from self._read(line, number)
        except OSError as problem:
            raise SourceGaveUp(f"cannot read {self.path}: {problem.strerror}") from problem

    def _read(self, line: bytes, number: int) -> Iterator[Post | Removal]:
        try:
            value = read_line(line)
            if is_recording(value):
                recorded = from_recording(value, self.name)
                yield from () if recorded is None else (recorded,)
            else:
                yield from_x(value, now=_NO_TIME, source=self.name, site=self._site, picture=_picture)
        except BadPost as problem:
            self.skipped += 1
            if self.skipped == 1:
                logger.warning(
                    "%s: line %d is skipped, %s (further ones are only counted)", self.path, number, problem
                )


def _gap(before: datetime | None, now: datetime) -> float:
    return min(max((now - before).total_seconds(), 0.0), LONGEST_GAP) if before else 0.0


def _picture(url: str) -> str:
    sample = _PICTURE.fullmatch(url)
    return static(f"realtime_wall_wall/sample/{sample[1]}") if sample else web_url(url)
