"""How do a wall's authors get onto a list of X's? One request for each, at X's pace, and never twice.

Authors are taken in the order of their first post. After each one the place is kept (as the ``cursor`` of a
:class:`SourcePosition` named after the list), so that a run that was broken off goes on where it was, and the
next run asks for new authors only: every request costs money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
import tweepy
from django.db.models.fields.json import KT
from django.utils import timezone
from gevent.event import Event

from realtime_wall.api import Backoff
from realtime_wall.wall.feed.clock import Clock
from realtime_wall.wall.models import SourcePosition, State, Wall
from realtime_wall.wall.sources.x.http_adapter import BASE_URL, PATIENCE, problem_in, reset_in

PRICE, PRICE_OF_A_LIST, PRICE_OF_A_NAME = (
    0.005,
    0.010,
    0.005,
)  # dollars: a member, a new list, a list that is read
PACE = 3.0  # seconds: X takes 300 of these requests in 15 minutes
MOST = 5_000  # members of a list
RATE_WAIT = 60.0  # seconds, where X does not say when its limit is lifted
FIRST_RETRY, LONGEST_RETRY, RETRIES = 5.0, 80.0, 5
DOUBTFUL = 3  # so many refused before one is taken: it is not they, it is us

_is_id = re.compile(r"[0-9]{1,20}").fullmatch
_Away = (tweepy.TwitterServerError, requests.RequestException, ValueError)


class ListerStopped(Exception):
    """It cannot go on, and why; what is done is done."""


@dataclass(frozen=True, slots=True)
class Author:
    user_id: str
    username: str
    row: int  # of the first post


@dataclass(frozen=True, slots=True)
class Credentials:
    consumer_key: str
    consumer_secret: str
    access_token: str
    access_secret: str


class _Session(requests.Session):
    """To the address that is set. A request is signed for its address, so it must be the right one before."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url.rstrip("/")

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        path = re.sub(r"^https://[^/]+", "", str(url))
        options["timeout"] = PATIENCE
        return super().request(method, self._base_url + path, *args, **options)


def client_of(credentials: Credentials, base_url: str = BASE_URL) -> tweepy.Client:
    client = tweepy.Client(
        consumer_key=credentials.consumer_key,
        consumer_secret=credentials.consumer_secret,
        access_token=credentials.access_token,
        access_token_secret=credentials.access_secret,
    )
    client.session = _Session(base_url)
    return client


# -- who


def authors_of(wall: Wall, banned: Iterable[str] = ()) -> list[Author]:
    """Those who wrote posts of their own on X, by their first one."""
    unwanted = {name.lstrip("@").casefold() for name in banned}
    posts = wall.tweets.filter(state=State.SHOWN, source="x", content__original_id="").order_by("id")
    # As texts: Django would read the text "1993" inside the JSON as a number.
    named = posts.annotate(user=KT("content__author_id"), username=KT("content__author_username"))
    found: dict[str, Author] = {}
    for row, user_id, username in named.values_list("id", "user", "username").iterator():
        name = username or user_id or ""
        if user_id and _is_id(user_id) and user_id not in found and name.casefold() not in unwanted:
            found[user_id] = Author(user_id, name, row)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a wall's authors have been added to a list."""

    wall: Wall
    source: str

    @classmethod
    def of(cls, wall: Wall, name: str) -> Progress:
        return cls(wall, f"list:{name}"[:32])

    def row(self) -> int:
        cursor = self.wall.positions.filter(source=self.source).values_list("cursor", flat=True).first() or ""
        return int(cursor) if cursor.isdecimal() else 0

    def reach(self, author: Author) -> None:
        place = {"cursor": str(author.row), "updated": timezone.now()}
        if not self.wall.positions.filter(source=self.source).update(**place):
            SourcePosition.objects.create(wall=self.wall, source=self.source, **place)

    def forget(self) -> None:
        self.wall.positions.filter(source=self.source).delete()


# -- how


class Lister:
    def __init__(self, client: tweepy.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._never = Event()  # what nothing but time ends

    def find_list(self, name: str, owner: str, create: bool) -> str:
        """The number of one's own list with this name, or of a new one."""
        found = self._ask(lambda: self._client.get_owned_lists(owner, user_auth=True))
        for one in found.data or ():
            if one.name == name:
                return str(one.id)
        if not create:
            raise ListerStopped(f"you have no list {name!r} at X; --create makes one")
        return str(self._ask(lambda: self._client.create_list(name)).data["id"])

    def add(self, list_id: str, authors: Iterable[Author]) -> Iterator[tuple[Author, str]]:
        """Each author as X has taken it (""), or why it did not."""
        taken, refused = 0, 0
        for author in authors:
            began = self._clock.elapsed()
            problem = self._add(list_id, author)
            taken, refused = taken + (not problem), refused + bool(problem)
            if not taken and refused >= DOUBTFUL:
                raise ListerStopped(f"X takes nobody: {problem}. Is the list {list_id} yours?")
            yield author, problem
            self._wait(PACE - (self._clock.elapsed() - began))

    def _add(self, list_id: str, author: Author) -> str:
        try:
            answer = self._ask(lambda: self._client.add_list_member(list_id, author.user_id))
        except (tweepy.BadRequest, tweepy.Forbidden, tweepy.NotFound) as refused:
            return problem_in(refused.response)  # of this author: gone, protected, or has blocked us
        return "" if (answer.data or {}).get("is_member") else "X did not say that it was done"

    def _ask(self, request: Any) -> Any:
        """The answer, once X has one: its limits are waited for, and a bad moment is tried again."""
        backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        for _ in range(RETRIES):
            try:
                return request()
            except tweepy.Unauthorized as refused:
                raise ListerStopped(
                    f"{problem_in(refused.response)}: are CONSUMER_KEY, CONSUMER_SECRET, ACCESS_TOKEN and "
                    "ACCESS_SECRET right, and may the app write?"
                ) from refused
            except tweepy.TooManyRequests as limited:
                problem: Exception = limited
                self._wait(max(reset_in(limited.response, self._clock.now()), RATE_WAIT))
            except _Away as away:
                problem = away
                self._wait(backoff.failed())
        raise ListerStopped(f"X cannot be reached ({type(problem).__name__})")

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._clock.wait(self._never, seconds)
