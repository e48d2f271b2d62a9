"""System checks: what would bite later, named before the server starts."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning

from realtime_wall import config
from realtime_wall.auth import origins, trusted_proxies
from realtime_wall.brokers.redis import redis_url
from realtime_wall.channels import rules
from realtime_wall.channels.names import check_channel
from realtime_wall.errors import InvalidChannel
from realtime_wall.management import older_words
from realtime_wall.server import monkey_patch
from realtime_wall.sockets.budgets.budget import event_rate_problem
from realtime_wall.transports.one_way import padding

TAG = "realtime"


def is_serving() -> bool:
    return "rungevent" in sys.argv[1:2]


Check = Callable[..., list[CheckMessage]]


def never_stops_migrate(check: Check) -> Check:
    """Errors stop the server; to ``migrate`` they are warnings, because tables need none of our settings."""

    @functools.wraps(check)
    def check_for_command(**kwargs: Any) -> list[CheckMessage]:
        found = check(**kwargs)
        if "migrate" in sys.argv[1:2]:
            for message in found:
                message.level = min(message.level, checks.WARNING)
        return found

    return check_for_command


def register(check: Check) -> Check:
    return checks.register(TAG)(never_stops_migrate(check))


@register
def check_settings(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    given = getattr(settings, config.SETTING, {})
    if not isinstance(given, dict):
        return [Error("REALTIME_WALL has to be a dict.", id="realtime_wall.E001")]
    for key, reason in config.problems(given):
        found.append(Error(f"REALTIME_WALL[{key!r}] {reason}.", id="realtime_wall.E001"))
    for where, reason in rules.problems(given.get("CHANNELS", {})):
        found.append(Error(f"REALTIME_WALL{where} {reason}.", id="realtime_wall.E007"))
    origins_given = given.get("ALLOWED_ORIGINS", ())
    for origin in origins_given if isinstance(origins_given, (list, tuple)) else ():
        if isinstance(origin, str) and not origins.is_usable(origin):
            hint = "Write it as a browser does: 'https://www.example.com', its port unless usual."
            found.append(
                Error(
                    f"REALTIME_WALL['ALLOWED_ORIGINS'] has {origin!r}, which no origin is.",
                    hint=hint,
                    id="realtime_wall.E006",
                )
            )
    found.extend(_proxy_problems(given.get("TRUSTED_PROXIES", ())))
    health_path = given.get("HEALTH_PATH", "")
    if isinstance(health_path, str) and health_path and not health_path.startswith("/"):
        found.append(
            Error("REALTIME_WALL['HEALTH_PATH'] has to begin with a slash.", id="realtime_wall.E012")
        )
    if given.get("SOCKETIO_MSGPACK") and find_spec("msgpack") is None:
        sentence = "REALTIME_WALL['SOCKETIO_MSGPACK'] needs msgpack, which is not installed."
        found.append(Error(sentence, hint="pip install realtime-wall[msgpack]", id="realtime_wall.E015"))
    found.extend(_padding_problems(given.get("PADDING", {})))
    found.extend(_event_rates_problems(given.get("EVENT_RATES", {})))
    found.extend(_events_channel_problems(given.get("EVENTS_CHANNEL", "")))
    found.extend(_broker_problems(given.get("BROKER", ""), given.get("BROKER_PREFIX", "x")))
    if given.get("LOG_DIR") and given.get("BROKER"):
        sentence = "REALTIME_WALL['LOG_DIR'] does nothing with BROKER: the log is in Redis."
        found.append(Error(sentence, hint="Leave one of them out.", id="realtime_wall.E013"))
    if given.get("BUS_GROUP") and not given.get("RUNTIME_DIR"):
        hint = "Set RUNTIME_DIR to a directory that the group may enter."
        found.append(
            Error(
                "REALTIME_WALL['BUS_GROUP'] does nothing without RUNTIME_DIR.",
                hint=hint,
                id="realtime_wall.E002",
            )
        )
    return found


def _proxy_problems(given: Any) -> list[CheckMessage]:
    entries = [one for one in given if isinstance(one, str)] if isinstance(given, (list, tuple)) else []
    hint = "Write '10.1.2.3', '10.0.0.0/8', '2001:db8::/32', or 'unix' for a Unix socket."
    reasons = filter(None, map(trusted_proxies.problem, entries))
    return [
        Error(f"REALTIME_WALL['TRUSTED_PROXIES'] {reason}.", hint=hint, id="realtime_wall.E011")
        for reason in reasons
    ]


def _padding_problems(given: Any) -> list[CheckMessage]:
    hint = "Write {'MSIE': [1024, 512]}."
    return [
        Error(f"REALTIME_WALL['PADDING'][{pattern!r}] {reason}.", hint=hint, id="realtime_wall.E014")
        for pattern, sizes in (given.items() if isinstance(given, dict) else ())
        if (reason := padding.problem(pattern, sizes))
    ]


def _event_rates_problems(given: Any) -> list[CheckMessage]:
    hint = "Write {'typing': 5}: five a second for long. Leave out what has no limit."
    return [
        Error(f"REALTIME_WALL['EVENT_RATES'][{name!r}] {reason}.", hint=hint, id="realtime_wall.E016")
        for name, per_second in (given.items() if isinstance(given, dict) else ())
        if (reason := event_rate_problem(per_second))
    ]


def _events_channel_problems(name: Any) -> list[CheckMessage]:
    if not isinstance(name, str) or not name:
        return []
    try:
        check_channel(name)
    except InvalidChannel as problem:
        return [Error(f"REALTIME_WALL['EVENTS_CHANNEL'] cannot be used: {problem}.", id="realtime_wall.E008")]
    return []


def _broker_problems(url: Any, prefix: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if isinstance(url, str) and (reason := redis_url.problem(url)):
        found.append(Error(f"REALTIME_WALL['BROKER'] {reason}.", id="realtime_wall.E009"))
    if isinstance(prefix, str) and redis_url.is_bad_prefix(prefix):
        sentence = "REALTIME_WALL['BROKER_PREFIX'] has to have a character, and none of {, } and spaces."
        found.append(Error(sentence, id="realtime_wall.E010"))
    return found


@register
def check_publishers(**_: Any) -> list[CheckMessage]:
    """What opens publishing to more people than its author may have thought of."""
    if settings.DEBUG or not isinstance(getattr(settings, config.SETTING, {}), dict):
        return []
    found: list[CheckMessage] = []
    given = config.current()
    if given.publish_from_loopback:
        hint = "Behind a proxy on this machine everybody may look local; sign a channel_token instead."
        found.append(
            Warning(
                "REALTIME_WALL['PUBLISH_FROM_LOOPBACK'] lets every program on this machine publish.",
                hint=hint,
                id="realtime_wall.W004",
            )
        )
    for pattern, options in given.channels.items():
        if isinstance(options, dict) and rules.is_open(options.get("WRITE")):
            hint = "Name who may: 'users', 'staff', 'token', or a function of yours."
            found.append(
                Warning(
                    f"REALTIME_WALL['CHANNELS'][{pattern!r}]['WRITE'] lets everybody on the web publish.",
                    hint=hint,
                    id="realtime_wall.W005",
                )
            )
    return found


@register
def check_hosts(**_: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.ALLOWED_HOSTS:
        return []
    hint = "List the host names of the site; sockets are refused to any other."
    return [Error("ALLOWED_HOSTS is empty while DEBUG is off.", hint=hint, id="realtime_wall.E003")]


@register
def check_patching(**_: Any) -> list[CheckMessage]:
    if not is_serving():
        return []
    if not monkey_patch.is_patched():
        hint = "Start the server with 'manage.py rungevent', which patches before anything is imported."
        return [Error("gevent's patches are missing.", hint=hint, id="realtime_wall.E004")]
    if monkey_patch.is_patched_too_late():
        hint = "Call gevent.monkey.patch_all() before the first import of Django, or leave it to rungevent."
        return [
            Error(
                "gevent's patches came after Django was imported: greenlets share database connections.",
                hint=hint,
                id="realtime_wall.E005",
            )
        ]
    return []


@register
def check_databases(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        options: Any = database.get("OPTIONS", {})
        pooled = bool(options.get("pool"))
        if database.get("CONN_MAX_AGE", 0) != 0 and not pooled:
            hint = (
                "Remove it, or set OPTIONS['pool'] (PostgreSQL): each greenlet has a connection of its own."
            )
            found.append(
                Warning(
                    f"DATABASES[{alias!r}] has CONN_MAX_AGE without a pool: connections pile up.",
                    hint=hint,
                    id="realtime_wall.W003",
                )
            )
    return found


@register
def check_older_settings(**_: Any) -> list[CheckMessage]:
    return [
        Warning(f"The setting {name} is not read.", hint=f"Say {instead}.", id="realtime_wall.W006")
        for name, instead in older_words.in_settings()
    ]


@register
def check_older_words(**_: Any) -> list[CheckMessage]:
    return [
        Warning(f"{where} has {word!r} of an older project.", hint=f"Say {instead}.", id="realtime_wall.W007")
        for where, word, instead in older_words.in_files()
    ]
