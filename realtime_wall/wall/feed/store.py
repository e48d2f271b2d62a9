"""Puts what the sources gave into the database, and says what that changed.

A batch is one transaction, with how far the sources have come: what is known is looked up, what is
new inserted, what was edited or taken back replaced. If another process inserts the
same post in between, the unique constraint refuses the batch, and trying its halves sorts it out,
as it does for a post that the database cannot hold: in the end that one stands alone, is put
aside as a RejectedPost, and the others are in.

This blocks, and is called in a thread: see :mod:`feed`. It logs nothing there; what there is to
say is in what it returns.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    reset_queries,
    transaction,
)
from django.utils import timezone
from gevent import monkey

from realtime_wall.wall.feed.recent_ids import cursors, latest
from realtime_wall.wall.models import RejectedPost, SourcePosition, State, Tweet, Wall
from realtime_wall.wall.moderation.admission import Admission
from realtime_wall.wall.moderation.desk_channel import listed
from realtime_wall.wall.moderation.folding import count_copies
from realtime_wall.wall.post import CURSOR_SIZE, ID_SIZE, Item, Mark, Post, Removal, tidy
from realtime_wall.wall.programs import webhook_queue
from realtime_wall.wall.write_transaction import write_transaction

sleep = monkey.get_original("time", "sleep")  # of a native thread

# The database is away or busy, and the posts are good.
Unavailable = (OperationalError, InterfaceError)


Message = dict[str, Any]
PORTION, REST = 20, 0.002  # posts, seconds
BUSY = 100  # items in a batch
REFUSALS = 3  # of one post by a database that is there
COLUMNS = (
    "wall",
    "source",
    "post_id",
    "content",
    "created_at",
    "received_at",
    "state",
    "reason",
    "show_at",
    "publications",
    "version",
)


@dataclass(frozen=True, slots=True)
class Rejection:
    post: Item
    reason: str
    kept: bool  # as a RejectedPost


@dataclass(slots=True)
class Stored:
    """What became of a batch; a post that is in none of the lists had been stored before."""

    new: list[Message] = field(default_factory=list)  # in the order of the posts
    changed: list[Message] = field(default_factory=list)  # edited; those that a page may show
    removed: list[Message] = field(default_factory=list)  # id and source
    # By key: what is published again has another event id; what is removed is taken out of the log.
    event_ids: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[Message] = field(default_factory=list)  # for the moderators, as they list them
    rejected: list[Rejection] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)  # to be tried again: the database was unavailable
    problem: Exception | None = None  # why

    def take(self, other: Stored) -> None:
        self.new += other.new
        self.changed += other.changed
        self.removed += other.removed
        self.waiting += other.waiting
        self.event_ids |= other.event_ids


class Store(Protocol):
    def add(self, items: Sequence[Item]) -> Stored:
        """Store what is new or changed; called in a thread, and never raises for what a database may do."""

    def reject(self, item: Item, problem: Exception) -> Rejection:
        """Put an item aside that is no post, or cannot be handled as one; never raises either."""

    def note(self, source: str, problem: str) -> None:
        """Keep what stands in the way of a source, as well as can be; never raises either."""


class DatabaseStore:
    def __init__(self, slug: str) -> None:
        self.slug = slug
        self._refusals: Counter[str] = Counter()  # of single posts, while the database took others

    def add(self, items: Sequence[Item]) -> Stored:
        stored = Stored()
        try:
            self._add(items, stored)
        finally:
            # This thread's; a busy feed comes again at once, and keeps it.
            if stored.problem or len(items) < BUSY:
                connections.close_all()
            reset_queries()  # which DEBUG would keep, with every post in them
        return stored

    def note(self, source: str, problem: str) -> None:
        found = {"problem": tidy(problem, 500)}
        try:
            wall = Wall.called(self.slug)
            if not wall.positions.filter(source=source[:32]).update(**found, updated=timezone.now()):
                SourcePosition.objects.create(wall=wall, source=source[:32], **found)
        except DatabaseError:
            pass  # it is in the log
        finally:
            connections.close_all()

    def _add(self, items: Sequence[Item], stored: Stored) -> None:
        if stored.problem:
            stored.left += items
            return
        try:
            stored.take(self._write(items))
        except Unavailable as problem:
            if len(items) > 1 and self._is_there():
                self._halve(items, stored)
            elif len(items) == 1 and self._is_refused(items[0]):
                stored.rejected.append(self.reject(items[0], problem))
            else:
                stored.problem = problem
                stored.left += items
        except Exception as problem:
            if len(items) > 1:
                self._halve(items, stored)
            else:
                self._add_alone(items[0], problem, stored)

    def _halve(self, items: Sequence[Item], stored: Stored) -> None:
        middle = len(items) // 2
        self._add(items[:middle], stored)
        self._add(items[middle:], stored)

    def _is_there(self) -> bool:
        """Whether the database takes a write, if only of nothing."""
        try:
            with write_transaction():
                SourcePosition.objects.filter(pk=-1).update(cursor="")
        except DatabaseError:
            return False
        return True

    def _is_refused(self, item: Item) -> bool:
        """Whether it is this post alone: of a very large one PostgreSQL raises what it raises when away."""
        if isinstance(item, Mark) or not self._is_there():
            return False
        self._refusals[item.key] += 1
        if self._refusals[item.key] < REFUSALS:
            return False
        del self._refusals[item.key]
        return True

    def _add_alone(self, item: Item, problem: Exception, stored: Stored) -> None:
        if isinstance(problem, IntegrityError):
            # Another process may have stored it after we had looked; by now it can be seen.
            try:
                stored.take(self._write([item]))
            except DatabaseError as again:
                problem = again
            else:
                return
        stored.rejected.append(self.reject(item, problem))

    def _write(self, items: Sequence[Item]) -> Stored:
        done = Stored()
        with write_transaction():
            wall = Wall.called(self.slug)
            known = self._known(wall, items)
            new: list[Post] = []
            admission = Admission(wall, [item for item in items if isinstance(item, Post)])
            for item in latest(items):
                if isinstance(item, Mark):
                    continue
                row = known.get(item.key)
                if row is None:
                    if isinstance(item, Post):
                        new.append(item)
                elif item.version > row.version:
                    _replace(row, item, admission, done)
            insert(wall, new, admission, done)
            _count_copies(wall, done)
            webhook_queue.note(wall, done.new, done.removed)
            self._remember_places(wall, items)
        return done

    def _known(self, wall: Wall, items: Sequence[Item]) -> dict[str, Tweet]:
        ids = [item.id for item in items if not isinstance(item, Mark)]
        sources = {item.source for item in items}  # without them the index is of no use
        rows = wall.tweets.select_for_update().filter(source__in=sources, post_id__in=ids).order_by()
        rows = rows.only(
            "wall_id", "post_id", "source", "version", "state", "reason", "show_at", "publications"
        )
        return {str(row): row for row in rows}

    def _remember_places(self, wall: Wall, items: Sequence[Item]) -> None:
        for source, cursor in cursors(items).items():
            place = {"cursor": cursor[:CURSOR_SIZE], "updated": timezone.now()}
            if not wall.positions.filter(source=source).update(**place):
                SourcePosition.objects.create(wall=wall, source=source, **place)

    def reject(self, item: Item, problem: Exception) -> Rejection:
        reason = f"{type(problem).__name__}: {problem}"
        try:
            with transaction.atomic():
                RejectedPost.objects.create(
                    wall=Wall.called(self.slug),
                    source=tidy(str(getattr(item, "source", "")), 32),
                    post_id=tidy(str(getattr(item, "id", "")), ID_SIZE),
                    reason=tidy(reason, 500),
                    raw=_raw(item)[: RejectedPost.RAW_SIZE],
                )
        except Exception as second:
            return Rejection(item, f"{reason}; nor could that be noted: {type(second).__name__}", kept=False)
        finally:
            connections.close_all()
        return Rejection(item, reason, kept=True)


def insert(wall: Wall, posts: Sequence[Post], admission: Admission, done: Stored) -> None:
    """Store posts that are new. Django's own way takes several times as long."""
    if not posts:
        return
    connection = connections[wall._state.db or DEFAULT_DB_ALIAS]
    names = ("content", "created_at", "received_at", "show_at")
    content, created_at, received_at, show_at = (_prepare(name, connection) for name in names)
    now, rows = received_at(timezone.now()), list[tuple[Any, ...]]()
    for number, post in enumerate(posts, 1):
        message = post.as_message()
        verdict = admission.judge(message)
        is_shown = verdict.state == State.SHOWN
        if is_shown:
            done.new.append(message)
        else:
            done.waiting.append(listed(message, verdict.state, verdict.reason, verdict.show_at))
        decided = (verdict.state.value, verdict.reason, show_at(verdict.show_at), int(is_shown))
        found = (wall.pk, post.source, post.id, content(message), created_at(post.created_at), now)
        rows.append((*found, *decided, post.version))
        if number % PORTION == 0:
            # The event loop waits for Python's lock, and would get it after five milliseconds only.
            sleep(REST)
    # Many rows in one statement: each call lets go of Python's lock, and has to wait to get it back.
    most = connection.ops.bulk_batch_size(list(COLUMNS), rows)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), most):
            some = rows[start : start + most]
            cursor.execute(_insert_statement(connection, len(some)), list(chain.from_iterable(some)))


def _count_copies(wall: Wall, done: Stored) -> None:
    """What was folded into another post is counted there, once for all that came together."""
    reasons = (item["reason"].partition(":") for item in done.waiting if item["state"] == State.HIDDEN)
    for row in count_copies(wall, Counter(key for kind, _, key in reasons if kind == "folded")):
        done.changed.append(row.content)
        done.event_ids[str(row)] = row.event_ids[-1:]


def _prepare(name: str, connection: Any) -> Callable[[Any], Any]:
    """What a value is for a column of tweets."""
    field: Any = Tweet._meta.get_field(name)
    return lambda value: field.get_db_prep_save(value, connection)


def _insert_statement(connection: Any, rows: int) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(Tweet._meta.get_field(name).column) for name in COLUMNS)  # type: ignore[union-attr]
    places = ", ".join([f"({', '.join(['%s'] * len(COLUMNS))})"] * rows)
    return f"INSERT INTO {quote(Tweet._meta.db_table)} ({columns}) VALUES {places}"


def _replace(row: Tweet, item: Post | Removal, admission: Admission, done: Stored) -> None:
    """A later version of what is stored. What is edited is judged as what is new: nobody has approved it."""
    was = row.state
    was_shown = was == State.SHOWN
    if isinstance(item, Post):
        copies = {name: row.content[name] for name in ("passed_on",) if name in row.content}
        row.content = item.as_message() | copies
        if row.state in (State.SHOWN, State.WAITING):
            verdict = admission.judge(row.content)
            row.state, row.reason, row.show_at = verdict.state, verdict.reason, verdict.show_at
    else:
        # What its author has deleted is not kept; its row is, so that the post cannot come back.
        row.content |= {"text": "", "entities": [], "media": [], "link": None, "poll": []}
        row.state, row.reason, row.show_at = State.TAKEN_BACK, "", None
    if row.state == State.SHOWN:
        (done.changed if was_shown else done.new).append(row.content)
        row.publications += 1
        done.event_ids[str(row)] = row.event_ids[-1:]
    elif was_shown:
        done.removed.append({"id": row.post_id, "source": row.source})
        done.event_ids[str(row)] = row.event_ids
    if row.state == State.WAITING or not (was_shown or row.state == State.SHOWN):
        done.waiting.append(listed(row.content, row.state, row.reason, row.show_at, was=was))
    row.version = item.version
    row.save(update_fields=["content", "version", "state", "reason", "show_at", "publications"])


def _raw(item: Item) -> str:
    try:
        return json.dumps(item.as_message() if isinstance(item, Post) else repr(item), default=repr)
    except Exception:  # it may be this very thing that was wrong with the post
        return json.dumps(repr(item))
