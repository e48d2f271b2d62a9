"""Who is the person behind a socket, for others on its channel? The channel's rule says it (``PRESENCE``).

True stands for the name of a signed-in user, and for an id of anybody else that tells nothing. A function of
the project's, or its dotted path, is called with the socket and the channel; it returns a dict with an "id"
and whatever else may be shown, or None for somebody who is to stay unseen.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from realtime_wall.async_functions import result_of
from realtime_wall.auth import django_sessions
from realtime_wall.errors import InvalidMessage
from realtime_wall.presence.table import Person
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.socket import Socket

log = logging.getLogger(__name__)

# It is sent to everybody on the channel, each time.
LARGEST = 2048
LONGEST_ID = 128


def of(who: Any, socket: Socket, channel: str) -> Person | None:
    """None for somebody who is not to be seen. It may ask the database."""
    try:
        if who is True:
            person = _default(socket)
        else:
            function = import_string(who) if isinstance(who, str) else who
            person = result_of(function(socket, channel))
        return None if person is None else _checked(person)
    except Exception:
        log.exception("PRESENCE of channel %r failed for %r: it stays unseen", channel, socket)
        return None


def _default(socket: Socket) -> Person:
    user = socket.user
    if user is not None and user.is_authenticated:
        return {"id": str(user.pk), "name": user.get_username()}
    secret = django_sessions.session_key_of(socket.request) or socket.id
    return {"id": f"guest-{salted_hmac(__name__, secret, algorithm='sha256').hexdigest()[:16]}"}


def _checked(person: Any) -> Person:
    """As everybody else will read it from JSON; InvalidMessage when that cannot be."""
    if not isinstance(person, dict) or not isinstance(person.get("id"), str):
        raise InvalidMessage("a person is a dict with an 'id', which is a text")
    if not (0 < len(person["id"]) <= LONGEST_ID and person["id"].isprintable()):
        raise InvalidMessage(f"a person's id has 1 to {LONGEST_ID} printable characters")
    text = encode_json(person)
    if len(text.encode()) > LARGEST:
        raise InvalidMessage(f"what is shown of a person has at most {LARGEST:,} bytes as JSON")
    result: Person = json.loads(text)
    return result
