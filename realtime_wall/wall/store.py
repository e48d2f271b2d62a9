"""Puts posts into the database, and says which of them were new.

A batch is one transaction: what is new is looked up, then inserted. If another process inserts the
same post in between, the unique constraint refuses the batch, and trying its halves sorts it out,
as it does for a post that the database cannot hold: in the end that one stands alone, is put
aside, and the others are in.

This blocks, and is called in a thread: see :mod:`feed`. It logs nothing there; what there is to
say is in what it returns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    transaction,
)

from realtime_wall.wall.models import RejectedPost, Tweet, Wall
from realtime_wall.wall.post import ID_SIZE, Post, tidy

# The database is away or busy, and the posts are good.
Unavailable = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Rejection:
    post: Post
    reason: str
    kept: bool  # as a RejectedPost


@dataclass(slots=True)
class Stored:
    """What became of a batch; a post that is in none of the lists had been stored before."""

    new: list[dict[str, Any]] = field(default_factory=list)  # messages, in the order of the posts
    rejected: list[Rejection] = field(default_factory=list)
    left: list[Post] = field(default_factory=list)  # to be tried again: the database was unavailable
    problem: Exception | None = None  # why


class Store(Protocol):
    def add(self, posts: Sequence[Post]) -> Stored:
        """Store what is new; called in a thread, and never raises for what a database may do."""


class DatabaseStore:
    def __init__(self, slug: str) -> None:
        self.slug = slug

    def add(self, posts: Sequence[Post]) -> Stored:
        stored = Stored()
        try:
            self._add(posts, stored)
        finally:
            connections.close_all()  # this thread's
        return stored

    def _add(self, posts: Sequence[Post], stored: Stored) -> None:
        if stored.problem:
            stored.left += posts
            return
        try:
            stored.new += self._insert(posts)
        except Unavailable as problem:
            stored.problem = problem
            stored.left += posts
        except Exception as problem:
            if len(posts) > 1:
                middle = len(posts) // 2
                self._add(posts[:middle], stored)
                self._add(posts[middle:], stored)
            else:
                self._add_alone(posts[0], problem, stored)

    def _add_alone(self, post: Post, problem: Exception, stored: Stored) -> None:
        if isinstance(problem, IntegrityError):
            # Another process may have stored it after we had looked; by now it can be seen.
            try:
                stored.new += self._insert([post])
            except DatabaseError as again:
                problem = again
            else:
                return
        stored.rejected.append(self._put_aside(post, problem))

    def _insert(self, posts: Sequence[Post]) -> list[dict[str, Any]]:
        with transaction.atomic():
            wall = Wall.called(self.slug)
            known = set(
                wall.tweets.filter(post_id__in=[post.id for post in posts]).values_list("source", "post_id")
            )
            rows = {
                (post.source, post.id): Tweet(
                    wall=wall,
                    source=post.source,
                    post_id=post.id,
                    content=post.as_message(),
                    created_at=post.created_at,
                )
                for post in posts
                if (post.source, post.id) not in known
            }
            Tweet.objects.bulk_create(rows.values())
        return [row.content for row in rows.values()]

    def _put_aside(self, post: Post, problem: Exception) -> Rejection:
        reason = f"{type(problem).__name__}: {problem}"
        try:
            with transaction.atomic():
                RejectedPost.objects.create(
                    wall=Wall.called(self.slug),
                    source=post.source[:32],
                    post_id=tidy(post.id, ID_SIZE),
                    reason=tidy(reason, 500),
                    raw=_raw(post)[: RejectedPost.RAW_SIZE],
                )
        except Exception as second:
            return Rejection(post, f"{reason}; nor could that be noted: {type(second).__name__}", kept=False)
        return Rejection(post, reason, kept=True)


def _raw(post: Post) -> str:
    try:
        return json.dumps(post.as_message(), default=repr)
    except Exception:  # it may be this very thing that was wrong with the post
        return json.dumps(repr(post))
