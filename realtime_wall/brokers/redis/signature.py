"""What is in Redis, and is it of this site? Everything that carries a signature by its SECRET_KEY.

Whoever can write to Redis can write anything there. So a publisher signs what an entry says, and a sender its
envelopes; what has no good signature is dropped, and counted. Redis itself gives an entry its head (epoch,
offset, number, time, size) and the data of a retraction: that, and which signed entries come when, whoever
controls Redis decides.

    {"ep":..,"o":..,"n":..,"t":..,"s":..,   "c":..,"d":..,"k":..,"from":..   ,"h":"signature"}
    head, by Redis                          signed, by the publisher
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.conf import settings

# 128 bits, in base64.
BYTES, LENGTH = 16, 22
PUBLISHED, RETRACTION, DELETION, ENVELOPE = "published", "retraction", "deletion", "envelope"

_HEAD = re.compile(
    rb'\{"ep":"([^"\\]*)","o":([0-9]{1,18}),'
    rb'(?:"begins":1\}\Z|(?:"n":([0-9]{1,18}),"t":([0-9]{1,12}(?:\.[0-9]{1,9})?),"s":[0-9]{1,18},)?)'
    rb'(?:"r":([0-9]{1,18}),)?'
)
_TAIL = re.compile(rb',"h":"([A-Za-z0-9_-]{22})"(?:,"d":("(?:[^"\\]|\\.)*"))?\}')
# A tail is no longer than its data, which is of a retraction: two short numbers and an event id.
MAX_TAIL = 4096


class Unsigned(ValueError):
    """It is not of this site, or was changed."""


class Signatures:
    def __init__(self, secrets: Sequence[str | bytes]) -> None:
        """The first one signs; all are good."""
        self._keys = [
            sha256(b"realtime_wall.redis" + (one.encode() if isinstance(one, str) else one)).digest()
            for one in secrets
        ]

    @classmethod
    def of_site(cls) -> Signatures:
        return cls([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])

    def sign(self, kind: str, text: str) -> str:
        return _signature(self._keys[0], kind, text.encode()).decode()

    def check(self, kind: str, text: bytes, signature: bytes) -> None:
        """Raise :class:`Unsigned` unless it was signed by one of our keys."""
        for key in self._keys:
            if hmac.compare_digest(_signature(key, kind, text), signature):
                return
        raise Unsigned("it has no signature by this site's SECRET_KEY")

    # Entries

    def closed(self, kind: str, body: str) -> str:
        """The rest of an entry: what is signed, without its braces, and the signature."""
        return f'{body},"h":"{self.sign(kind, body)}"'

    def read_entry(self, text: bytes) -> dict[str, Any]:
        """The body of an entry with its head; ValueError for what is none of this site's."""
        head = _HEAD.match(text)
        if head is None:
            raise ValueError("an entry has another head")
        epoch, offset, number, time, retracts = head.groups()
        body: dict[str, Any] = {"begins": 1}
        if head.end() < len(text):
            kind = DELETION if number is None else PUBLISHED if retracts is None else RETRACTION
            body = self._read_signed(kind, text, head.end())
        body["ep"], body["o"] = epoch.decode(), int(offset)
        if number is not None:
            body["n"], body["t"] = int(number), float(time)
        if retracts is not None:
            body["r"] = int(retracts)
        return body

    def _read_signed(self, kind: str, text: bytes, start: int) -> dict[str, Any]:
        place = text.rfind(b',"h":"', max(start, len(text) - MAX_TAIL))
        tail = _TAIL.fullmatch(text, place) if place >= 0 else None
        if tail is None or (tail[2] is None) != (kind != RETRACTION):
            raise Unsigned("it has no signature by this site's SECRET_KEY")
        signed = text[start:place]
        self.check(kind, signed, tail[1])
        body: dict[str, Any] = json.loads(f"{{{signed.decode()}}}")
        if tail[2] is not None:
            body["d"] = json.loads(tail[2])
        return body

    # Envelopes

    def sealed(self, address: str, envelope: str) -> str:
        """An envelope's JSON for the inbox of this address: it is good in no other."""
        return self.sign(f"{ENVELOPE}:{address}", envelope) + envelope

    def read_envelope(self, address: str, text: bytes) -> dict[str, Any]:
        """ValueError for what is none of this site's."""
        signature, envelope = text[:LENGTH], text[LENGTH:]
        self.check(f"{ENVELOPE}:{address}", envelope, signature)
        value = json.loads(envelope)
        if not isinstance(value, dict):
            raise ValueError("an envelope is a JSON object")
        return value


def _signature(key: bytes, kind: str, text: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(key, kind.encode() + b"\0" + text, "sha256")[:BYTES])[:LENGTH]
