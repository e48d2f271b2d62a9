"""What of ``REALTIME_WALL["SOCKETIO_ADMIN"]`` is set, and can it be used?"""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

from realtime_wall.config import current as config

BCRYPT = ("$2a$", "$2b$", "$2y$")


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """``username`` with ``password``, a hash of bcrypt or of Django, lets in others than the staff."""

    namespace: str = "/admin"
    username: str = ""
    password: str = ""
    readonly: bool = False
    # Whether single sockets and events are told, not only figures: as at the stock server, in development.
    all_events: bool | None = None

    @property
    def shows_all_events(self) -> bool:
        return settings.DEBUG if self.all_events is None else self.all_events


def current() -> AdminOptions:
    given = config().socketio_admin
    known = {
        field.name: given[field.name.upper()] for field in fields(AdminOptions) if field.name.upper() in given
    }
    return AdminOptions(**known)


def check_options(**_: Any) -> list[CheckMessage]:
    return [
        Error(f"REALTIME_WALL['SOCKETIO_ADMIN'] {problem}.", id="realtime_wall_socketio_admin.E001")
        for problem in _problems(config().socketio_admin)
    ]


def _problems(given: dict[str, Any]) -> list[str]:
    unknown = sorted(given.keys() - {field.name.upper() for field in fields(AdminOptions)})
    found = [f"has {key!r}, which is no option of it" for key in unknown]
    options = current()
    if options.namespace not in config().namespaces:
        found.append(f"needs {options.namespace!r} among NAMESPACES")
    if not options.username and not apps.is_installed("realtime_wall.monitor"):
        found.append("lets nobody in: install realtime_wall.monitor for its permissions, or set USERNAME")
    if bool(options.username) != bool(options.password):
        found.append("has one of USERNAME and PASSWORD without the other")
    if options.password.startswith(BCRYPT) and find_spec("bcrypt") is None:
        found.append("needs bcrypt for its PASSWORD, which is not installed")
    elif options.password and "$" not in options.password:
        found.append("has a PASSWORD that is no hash")
    return found
