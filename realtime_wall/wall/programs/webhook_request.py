"""How is a message handed to a webhook? Signed, as JSON, and to a public address."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests

from realtime_wall.wall.programs.program_tables import Webhook, WebhookMessage
from realtime_wall.wall.public_requests import reason_of, session
from realtime_wall.wall.sources.webhook_signature import signed_headers

PATIENCE = 10.0  # seconds, for each step of an answer


class WebhookSession:
    def __init__(self, requests_session: requests.Session) -> None:
        self._session = requests_session

    def post(self, webhook: Webhook, message: WebhookMessage) -> tuple[int, float]:
        """As :class:`webhook_sender.Asking`. Where it redirects to, nothing is sent."""
        body = json.dumps(message.body, separators=(",", ":")).encode()
        headers = signed_headers(webhook.secret, f"msg_{message.pk}", int(time.time()), body)
        headers["Content-Type"] = "application/json"
        try:
            with self._session.post(
                webhook.url, body, headers=headers, timeout=PATIENCE, allow_redirects=False, stream=True
            ) as answer:
                wait = answer.headers.get("Retry-After", "")
                return answer.status_code, float(wait[:6]) if wait.isdecimal() else 0.0
        except requests.RequestException as problem:
            raise ConnectionError(reason_of(problem)) from problem


@contextmanager
def open_session(private_hosts: Sequence[str]) -> Iterator[WebhookSession]:
    with session(private_hosts) as opened:
        yield WebhookSession(opened)
