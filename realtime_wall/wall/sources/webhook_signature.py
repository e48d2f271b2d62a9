"""Was this post signed by somebody who knows the secret, and just now? As Standard Webhooks has it.

HMAC-SHA256 over ``id.time.body``; headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.
What is sent once more within the window is the same post, and changes nothing: ids need not be remembered.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest, digest

WINDOW = 300.0  # seconds that clocks may differ, and a post may be under way
KEY = "whsec_"  # in front of a secret that is the key's bytes, in base64
MOST = 8  # signatures, of a sender that changes its secret
_is_id = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,128}").fullmatch  # no dot: it ends the id in what is signed
_is_time = re.compile(r"[0-9]{1,12}").fullmatch


class BadSignature(Exception):
    """Says what is wrong, to the sender."""


@dataclass(frozen=True, slots=True)
class Signature:
    signed: bytes  # what stands before the body
    claims: tuple[bytes, ...]

    def check(self, body: bytes, secret: str) -> None:
        made = digest(key_of(secret), self.signed + body, "sha256")
        if not any(compare_digest(made, claim) for claim in self.claims):
            raise BadSignature("the signature is wrong")


def signature_of(headers: Mapping[str, str], now: float) -> Signature | None:
    """What a request's headers claim, before its body is read; None if it is not signed."""
    given = headers.get("webhook-signature")
    if given is None:
        return None
    sent_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _is_id(sent_id):
        raise BadSignature("webhook-id is missing, or is no id")
    if not _is_time(sent_at):
        raise BadSignature("webhook-timestamp is missing, or is no time in seconds since 1970")
    if abs(now - int(sent_at)) > WINDOW:
        raise BadSignature(f"webhook-timestamp is more than {WINDOW:.0f} seconds off")
    claims = given.split(" ", MOST)[:MOST]
    return Signature(f"{sent_id}.{sent_at}.".encode(), tuple(filter(None, map(_digest, claims))))


def signed_headers(secret: str, message_id: str, now: int, body: bytes) -> dict[str, str]:
    """Of what we send ourselves."""
    made = digest(key_of(secret), f"{message_id}.{now}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }


def key_of(secret: str) -> bytes:
    if secret.startswith(KEY):
        try:
            return base64.b64decode(secret.removeprefix(KEY), validate=True)
        except binascii.Error:
            pass  # then it is a secret that happens to begin so
    return secret.encode()


def _digest(claim: str) -> bytes:
    """Of version 1, the only one so far; in another spelling than it is made it is none."""
    version, _, text = claim.partition(",")
    try:
        found = base64.b64decode(text, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):  # letters beyond ASCII
        return b""
    return found if base64.b64encode(found).decode() == text else b""
