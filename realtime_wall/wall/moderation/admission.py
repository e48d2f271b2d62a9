"""What becomes of a post that arrives: is it shown, at once or later, or does somebody decide?

Every post that is stored comes by here, whatever brought it: this is the only place that lets one be shown
without a moderator. The reason that a verdict gives is a word, or a word and what it is about behind a
colon, so that each moderator reads it in a language of his own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from realtime_wall.wall.models import MAIN, Ban, Mode, Phrase, State, Wall
from realtime_wall.wall.moderation.author_quota import AuthorQuota
from realtime_wall.wall.moderation.folding import COUNTED, CopyMemory
from realtime_wall.wall.moderation.phrase_matcher import PhraseMatcher, matcher_of
from realtime_wall.wall.post import Post

Message = Mapping[str, Any]

ORGANISERS = "post"  # the source of what the organisers post themselves
PHONE = "phone"  # the source of what is posted from phones, which always waits
REASON_SIZE = 200

# Of this process, which has the feed or has not.
_quotas, _copies = AuthorQuota(), CopyMemory()


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    reason: str = ""
    show_at: datetime | None = None


class Admission:
    """Of some posts that arrive together, by what holds for their wall now."""

    def __init__(self, wall: Wall, posts: Iterable[Post] = ()) -> None:
        self._wall = wall
        self._now = timezone.now()
        of_wall = Q(wall=wall) | Q(wall=None)
        self._bans = [ban for ban in Ban.objects.filter(of_wall) if not _is_over(ban, self._now)]
        self._matcher = matcher_for(wall)
        self._originals = self._states_of_originals(posts)

    def judge(self, message: Message) -> Verdict:
        if message["source"] == ORGANISERS:
            return Verdict(State.SHOWN)
        if any(is_banned(message, ban) for ban in self._bans):
            return Verdict(State.HIDDEN, "ban")
        if self._wall.is_folding and (original := self._original_of(message)):
            return Verdict(State.HIDDEN, f"folded:{original}")
        reason = self._reason_to_wait(message)
        if reason or self._wall.mode == Mode.APPROVED:
            return Verdict(State.WAITING, reason[:REASON_SIZE])
        if self._wall.mode == Mode.DELAYED:
            return Verdict(State.WAITING, "delay", self._now + timedelta(seconds=self._wall.delay))
        return Verdict(State.SHOWN)

    def _original_of(self, message: Message) -> str:
        named = message["source"], message["original_id"]
        if self._originals.get(named) in COUNTED:
            return ":".join(named)
        return _copies.original_of(self._wall, message, self._now)

    def _reason_to_wait(self, message: Message) -> str:
        found = self._matcher.find(words_of(message))
        if found:
            return f"words:{found}"
        if self._originals.get((message["source"], message["original_id"]), State.SHOWN) != State.SHOWN:
            return "original"
        if self._wall.quota and _quotas.is_used_up(self._wall, message, self._now):
            return f"quota:{self._wall.quota}"
        return PHONE if message["source"] == PHONE else ""

    def _states_of_originals(self, posts: Iterable[Post]) -> dict[tuple[str, str], str]:
        """Who may not be heard is not heard by way of others."""
        wanted = [post for post in posts if post.original_id]
        if not wanted:
            return {}
        rows = self._wall.tweets.filter(
            source__in={post.source for post in wanted}, post_id__in={post.original_id for post in wanted}
        ).order_by()
        return {(source, of): state for source, of, state in rows.values_list("source", "post_id", "state")}


def may_be_sent(post: Post, slug: str = MAIN) -> bool:
    """To visitors, of a post that no wall has to have: as the wall would decide it, or has decided."""
    wall = Wall.called(slug)
    known = wall.tweets.filter(source=post.source, post_id=post.id).values_list("state", flat=True).first()
    state = known or Admission(wall, [post]).judge(post.as_message()).state
    return state == State.SHOWN


def matcher_for(wall: Wall) -> PhraseMatcher:
    phrases = Phrase.objects.filter(Q(wall=wall) | Q(wall=None)).order_by()
    return matcher_of(tuple(phrases.values_list("text", "is_allowed")))


def words_of(message: Message) -> str:
    """Whatever a card may show of a post in letters."""
    link = message.get("link") or {}
    texts = [message["text"], message["author_name"], message["author_username"], message["retweeted_by"]]
    texts += [message["retweeted_by_username"], link.get("title", ""), link.get("description", "")]
    texts += message.get("poll") or []
    texts += [item.get("alt", "") for item in message["media"]]
    texts += [entity["text"] for entity in message["entities"]]
    return "\n".join(filter(None, texts))


def is_banned(message: Message, ban: Ban) -> bool:
    if message["source"] != ban.source:
        return False
    if ban.author_id and message["author_id"] == ban.author_id:
        return True
    name = ban.username.casefold()
    return bool(name) and name in (
        message["author_username"].casefold(),
        message["retweeted_by_username"].casefold(),
    )


def _is_over(ban: Ban, now: datetime) -> bool:
    return ban.until is not None and ban.until <= now
