"""How does a probe get its answer from a site that would refuse or redirect it?

A load balancer asks by the machine's address, over http, without a name: ``ALLOWED_HOSTS`` makes that a
400, and ``SECURE_SSL_REDIRECT`` a redirect. ``HEALTH_PATH`` is answered here, before Django sees the request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from realtime_wall.node.introspection import health

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class HealthProbe:
    def __init__(self, application: Application, path: str) -> None:
        self._application = application
        self._path = path

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != self._path or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        status, state = health.state()
        body = json.dumps(state).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [body]
