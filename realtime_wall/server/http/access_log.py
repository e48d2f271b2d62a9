"""One line for each request, in Django's own words: what was asked, and what it was answered."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

# Django's own logger for requests: the format, the colours and the level are the ones of runserver.
log = logging.getLogger("django.server")

# Who knows one of these can speak as that client: the log has the beginning only.
SECRET_IN_QUERY = re.compile(r"([?&](?:sid|session|token|ticket)=(?:[A-Za-z0-9_]{8}\.)?[^&\s]{0,6})[^&\s]*")
LONGEST = 500


def write(request_line: str, status: int, size: int | None, connection: Any) -> None:
    """Django's formatter for a terminal wants the connection as the ``request``."""
    level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
    if not log.isEnabledFor(level):
        return
    # repr without its quotes: a request line with escape sequences stays one harmless line
    line = repr(SECRET_IN_QUERY.sub(r"\1", request_line[:LONGEST]))[1:-1]
    extra = {
        "request": connection,
        "status_code": status,
        "server_time": time.strftime("%d/%b/%Y %H:%M:%S"),
    }
    log.log(level, '"%s" %s %s', line, status, size or "-", extra=extra)
