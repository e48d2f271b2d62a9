"""The way to X: to the address that is set, with time limits.

tweepy has its address built in, and no time limit for requests.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

BASE_URL = "https://api.x.com"
PATIENCE = 30.0  # seconds for an ordinary answer

FIELDS = {
    "expansions": [
        "author_id",
        "attachments.media_keys",
        "referenced_tweets.id",
        "referenced_tweets.id.author_id",
        "geo.place_id",
    ],
    "tweet_fields": [
        "created_at",
        "entities",
        "lang",
        "note_tweet",
        "referenced_tweets",
        "attachments",
        "edit_history_tweet_ids",
        "possibly_sensitive",
        "geo",
    ],
    "user_fields": ["name", "username", "profile_image_url"],
    "place_fields": ["full_name", "geo"],
    "media_fields": ["type", "url", "preview_image_url", "alt_text", "width", "height", "variants"],
}


class XAdapter(HTTPAdapter):
    def __init__(self, base_url: str = BASE_URL, timeout: float = PATIENCE) -> None:
        super().__init__()
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = self._base_url + request.path_url
        options["timeout"] = self._timeout
        return super().send(request, *args, **options)


def problem_in(answer: requests.Response) -> str:
    """What X says about a request that it refused, in a sentence."""
    try:
        detail = answer.json().get("detail") or answer.json().get("title")
    except (requests.RequestException, ValueError, AttributeError):
        detail = None  # the status says enough
    return f"X answered {answer.status_code}" + (f" ({str(detail)[:200]})" if detail else "")


def reset_in(answer: requests.Response, now: float) -> float:
    """The seconds until X's rate limit is lifted, as far as it says so."""
    reset = answer.headers.get("x-rate-limit-reset", "")
    return float(reset) + 1 - now if reset.isdecimal() and len(reset) < 15 else 0.0
