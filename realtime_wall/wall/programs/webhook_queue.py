"""Who is to be told that a post is shown, or no longer? It is written with the post, and told afterwards.

What is hidden is named and not repeated: whoever is told of it has it, or has no business with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from realtime_wall.wall.models import Decision, State, Wall
from realtime_wall.wall.programs.program_tables import Webhook, WebhookMessage

SHOWN, HIDDEN = "post.shown", "post.hidden"
DAY = timedelta(days=1)  # then a message is given up
KEPT = timedelta(days=7)  # so long the admin shows what was
MOST_WAITING = 10_000  # of a webhook
Message = Mapping[str, Any]


def note(wall: Wall, shown: Iterable[Message] = (), hidden: Iterable[Message] = ()) -> None:
    """In the transaction that changes the posts."""
    webhooks = list(Webhook.objects.filter(Q(wall=wall) | Q(wall=None), enabled=True).order_by())
    if not webhooks:
        return
    bodies = [_body(SHOWN, {"wall": wall.slug, "key": _key(post), "post": dict(post)}) for post in shown]
    bodies += [_body(HIDDEN, {"wall": wall.slug, "key": _key(post)}) for post in hidden]
    WebhookMessage.objects.bulk_create(
        [WebhookMessage(webhook=webhook, body=body) for webhook in webhooks for body in bodies]
    )


def note_decisions(wall: Wall, decisions: Sequence[Decision]) -> None:
    posts = [(one, one.tweet.content) for one in decisions if one.tweet is not None]
    note(
        wall,
        [post for decision, post in posts if decision.became == State.SHOWN],
        [post for decision, post in posts if decision.was == State.SHOWN],
    )


def due() -> list[Webhook]:
    """Those that have something to be told, and are not resting from a failure."""
    unsent = WebhookMessage.objects.filter(webhook=OuterRef("pk"), problem="")
    ready = Q(due=None) | Q(due__lte=timezone.now())
    return list(Webhook.objects.filter(ready, Exists(unsent), enabled=True))


def oldest(webhook: Webhook) -> WebhookMessage | None:
    """In order: whoever is told that a post is hidden has been told of it before."""
    return webhook.messages.filter(problem="").order_by("id").first()


def give_up_old() -> None:
    now = timezone.now()
    WebhookMessage.objects.filter(problem="", created__lt=now - DAY).update(problem="given up after a day")
    WebhookMessage.objects.exclude(problem="").filter(created__lt=now - KEPT).delete()
    for webhook in Webhook.objects.all():
        waiting = webhook.messages.filter(problem="").order_by("-id")
        last = waiting.values_list("pk", flat=True)[MOST_WAITING : MOST_WAITING + 1].first()
        if last is not None:
            waiting.filter(pk__lte=last).update(problem="given up: too many wait")


def delivered(webhook: Webhook, message: WebhookMessage) -> None:
    message.delete()
    if webhook.problem or webhook.failures:
        webhook.problem, webhook.failures, webhook.due = "", 0, None
        webhook.save(update_fields=["problem", "failures", "due"])


def failed(
    webhook: Webhook, message: WebhookMessage, problem: str, again: datetime, *, is_given_up: bool
) -> None:
    message.attempts += 1
    message.problem = problem[:300] if is_given_up else ""
    message.save(update_fields=["attempts", "problem"])
    webhook.problem, webhook.failures, webhook.due = problem[:300], webhook.failures + 1, again
    webhook.save(update_fields=["problem", "failures", "due", "enabled"])


def _body(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": timezone.now().isoformat(timespec="milliseconds"), "data": data}


def _key(post: Message) -> str:
    return f"{post['source']}:{post['id']}"
