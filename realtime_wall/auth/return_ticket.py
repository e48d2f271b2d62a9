"""By which word does a client that was let in return, without being asked everything again?

A ticket is signed and says nothing that its bearer does not know: when it was issued, on which channels the
client was let, and of its user and password no more than whether they are still the same. It is good for the
request that it was issued to, for ``TICKET_AGE`` seconds: the signature is over what does not stand in it,
too: the session's id, the request's address, path, query and headers, the settings about who may come.

    <issued>.<flags>.<user>.<password>.<channels>.<signature>
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Any

from django.conf import settings

from realtime_wall.config import Config

# Of the request, as the site's middleware may have gone by it.
_BOUND = (
    *("wsgi.url_scheme", "PATH_INFO", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_COOKIE", "HTTP_AUTHORIZATION"),
    *("HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO"),
)
# What a client that returns adds to its query, or changes there.
_OF_THE_RETURN = ("since=", "session=", "ticket=", "on=")
# Who may come is decided by these; with another value no ticket of before is good.
_RULES = (
    *("MIDDLEWARE", "ROOT_URLCONF", "ALLOWED_HOSTS", "SESSION_ENGINE", "SESSION_COOKIE_NAME"),
    *("AUTH_USER_MODEL", "AUTHENTICATION_BACKENDS", "SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST"),
)
# Beyond, channels are left out: they are asked about anew. An address has to hold the ticket.
_LONGEST_CHANNELS = 1200
LONGEST = 1400
# Of so many users and passwords the marks are kept.
MARKS = 4096
# Seconds by which the clocks of two servers may differ.
SKEW = 10
# Flags: receivers need what middleware sets up besides the request; middleware has to be asked afterwards.
CONTEXT, LATER = "c", "l"

_TEXT = re.compile(
    r"([0-9a-f]{1,12})\.(c?l?)\.([\w-]{11})?\.([\w-]{11})?\.([\w-]{0,1200})\.([\w-]{22})", re.ASCII
)


class BadTicket(ValueError):
    """It is none of ours, or not of this request, or too old; the text says which."""


@dataclass(frozen=True, slots=True)
class Ticket:
    issued: int  # seconds since 1970
    flags: str = ""
    user: str = ""  # marks, of its id and its password's hash; empty when nobody knew them
    password: str = ""
    channels: tuple[str, ...] = ()  # on which it was let, and which not everybody may hear


class TicketSigner:
    def __init__(self, secrets: Sequence[str | bytes], rules: str, age: float) -> None:
        """The first secret signs; by all of them tickets are good."""
        self._keys = [
            sha256(b"realtime_wall.ticket\0" + (one.encode() if isinstance(one, str) else one)).digest()
            for one in secrets
        ]
        self._rules = sha256(rules.encode(errors="surrogatepass")).hexdigest()
        self._age = age
        # Of the same users again and again: at each heartbeat of theirs, and when they return.
        self.marks = lru_cache(MARKS)(self._marks)

    @classmethod
    def of_site(cls, config: Config) -> TicketSigner:
        rules: list[Any] = [getattr(settings, name, None) for name in _RULES]
        authorize = getattr(config.authorize, "__qualname__", config.authorize)  # no address in memory
        rules += [config.allowed_origins, authorize, config.trusted_proxies]
        return cls([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS], repr(rules), config.ticket_age)

    def sign(self, ticket: Ticket, bound: str) -> str:
        channels = ""
        if ticket.channels:
            channels = urlsafe_b64encode(json.dumps(ticket.channels).encode()).decode().rstrip("=")
            channels = channels if len(channels) <= _LONGEST_CHANNELS else ""
        body = f"{ticket.issued:x}.{ticket.flags}.{ticket.user}.{ticket.password}.{channels}"
        return f"{body}.{self._signature(self._keys[0], body, bound)}"

    def read(self, text: str, bound: str, now: float) -> Ticket:
        """BadTicket unless it was signed by us, for this request, and not long ago."""
        found = _TEXT.fullmatch(text) if len(text) <= LONGEST else None
        if found is None:
            raise BadTicket("no ticket")
        issued, flags, user, password, channels, signature = found.groups()
        body = text[: -len(signature) - 1]
        if not any(compare_digest(self._signature(key, body, bound), signature) for key in self._keys):
            raise BadTicket("not issued to this request")
        moment = int(issued, 16)
        if not -SKEW <= now - moment <= self._age:
            raise BadTicket("too old")
        return Ticket(moment, flags, user or "", password or "", _channels(channels))

    def _marks(self, kind: str, value: str) -> tuple[str, ...]:
        """By which a ticket says that something is still the same, by each key; the first one's is issued."""
        text = f"mark {kind}\0{value}".encode()
        return tuple(_mac(key, text, 8) for key in self._keys)

    def _signature(self, key: bytes, body: str, bound: str) -> str:
        text = f"{body}\0{self._rules}\0{bound}".encode()
        return _mac(key, text, 16)


def _mac(key: bytes, text: bytes, size: int) -> str:
    """Keyed by itself (RFC 7693): a third of what an HMAC takes."""
    return urlsafe_b64encode(blake2b(text, key=key, digest_size=size).digest()).decode().rstrip("=")


def bound_to(meta: Mapping[str, Any], address: str, earlier_id: str) -> str:
    """What of a request a ticket is good for; ``earlier_id`` is that of the session that its client had."""
    parts = meta.get("QUERY_STRING", "").split("&")
    query = [part for part in parts if part and not part.startswith(_OF_THE_RETURN)]
    proxy = settings.SECURE_PROXY_SSL_HEADER
    names = _BOUND if proxy is None else (*_BOUND, proxy[0])
    return ascii((earlier_id, address, query, [meta.get(name) for name in names]))


def _channels(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    try:
        return tuple(json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (Error, ValueError, TypeError) as problem:  # never: it was signed
        raise BadTicket("no channels") from problem
