"""Which process is that? A server's address begins the id of each of its sessions."""

from __future__ import annotations

import secrets

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
LENGTH = 8


def new_address() -> str:
    """Unique in any cluster: there are 2 to the 48th of them."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def owner_of(session_id: str) -> str:
    """The address of the server that a session is on; empty for what is no id of ours."""
    address, dot, _ = session_id.partition(".")
    return address if dot and len(address) == LENGTH else ""


def shown(session_id: str) -> str:
    """Enough of an id to tell sessions apart in a log, too little to impersonate one."""
    secret = session_id.find(".") + 1 if owner_of(session_id) else 0
    return session_id[: secret + 6]
