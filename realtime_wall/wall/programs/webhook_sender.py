"""Tells webhooks what they are to be told: signed, in order, and again until they have taken it.

One server of all does it. Each webhook has a greenlet of its own while it is told something, so a slow one
holds up nobody; the database is asked in a thread. One that fails rests, ever longer, up to an hour.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import gevent
from django.db import DatabaseError
from django.utils import timezone
from gevent.pool import Pool

from realtime_wall.api import run_in_threadpool
from realtime_wall.cluster import LeaderTask, Lease
from realtime_wall.wall import options
from realtime_wall.wall.programs import webhook_queue
from realtime_wall.wall.programs.program_tables import Webhook, WebhookMessage

logger = logging.getLogger(__name__)

GIVE_UP_EVERY = 600.0
LONGEST_ANSWER = 15.0
AT_ONCE = 10  # webhooks
FIRST_RETRY, LONGEST_RETRY = 5.0, 3600.0
REFUSALS = 3  # of one message; then the next one has its turn
NOT_NOW = (408, 425, 429)  # of the 400s
GONE = 410


class TookTooLong(Exception):
    pass


class Asking(Protocol):
    def post(self, webhook: Webhook, message: WebhookMessage) -> tuple[int, float]:
        """The status, and the seconds that it asks us to wait. ConnectionError where there is no answer."""


class WebhookSender(LeaderTask):
    name = "webhooks"

    def __init__(self, node: Any, lease: Lease) -> None:
        super().__init__(node, lease)
        self._pool = Pool(AT_ONCE)
        self._busy: set[int] = set()
        self._gave_up = 0.0  # when

    def close(self) -> None:
        """What was under way is told again, under the same id."""
        self._pool.kill(timeout=1)

    def look(self) -> None:
        if time.monotonic() - self._gave_up > GIVE_UP_EVERY:
            run_in_threadpool(webhook_queue.give_up_old)
            self._gave_up = time.monotonic()
        for webhook in run_in_threadpool(webhook_queue.due):
            if webhook.pk not in self._busy and self._pool.free_count():
                self._busy.add(webhook.pk)
                self._pool.spawn(self._send_all, webhook)

    def _send_all(self, webhook: Webhook) -> None:
        # Here: a site without webhooks loads no requests, which takes longer than the wall.
        from realtime_wall.wall.programs.webhook_request import open_session

        try:
            with open_session(options.current().private_hosts) as asking:
                while self.is_leading:
                    message = run_in_threadpool(partial(webhook_queue.oldest, webhook))
                    if message is None or not self._send(asking, webhook, message):
                        return
        except DatabaseError as problem:
            logger.info("whether %s was told is not noted, and it is told again: %s", webhook, problem)
        except Exception:
            logger.exception("%s could not be told anything", webhook)
        finally:
            self._busy.discard(webhook.pk)

    def _send(self, asking: Asking, webhook: Webhook, message: WebhookMessage) -> bool:
        """Whether it has taken it."""
        status, problem, wait = 0, "", 0.0
        try:
            with gevent.Timeout(LONGEST_ANSWER, TookTooLong("it took too long")):
                status, wait = asking.post(webhook, message)
        except (ConnectionError, TookTooLong) as failure:
            problem = str(failure)
        if 200 <= status < 300:
            run_in_threadpool(partial(webhook_queue.delivered, webhook, message))
            return True
        self._failed(webhook, message, status, problem or f"it answered {status}", wait)
        return False

    def _failed(
        self, webhook: Webhook, message: WebhookMessage, status: int, problem: str, wait: float
    ) -> None:
        if not webhook.failures:
            logger.warning("the webhook %s was not told: %s", webhook, problem)
        is_refused = 400 <= status < 500 and status not in NOT_NOW
        wait = min(max(wait, FIRST_RETRY * 2 ** min(webhook.failures, 20)), LONGEST_RETRY)
        again = timezone.now() + timedelta(seconds=wait * random.uniform(1.0, 1.2))
        webhook.enabled = status != GONE
        is_given_up = is_refused and message.attempts + 1 >= REFUSALS
        run_in_threadpool(
            partial(webhook_queue.failed, webhook, message, problem, again, is_given_up=is_given_up)
        )
