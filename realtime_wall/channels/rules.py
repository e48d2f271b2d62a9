"""Which rule holds for a channel? The first whose pattern fits its name.

The rules come from the setting ``CHANNELS``, a dict of patterns and dicts, in its order::

    "CHANNELS": {
        "news": {"HISTORY_SIZE": 100},
        "user.*": {"READ": False},
        "*": {"MAX_SUBSCRIBERS": 1000},
    }

``*`` in a pattern stands for any characters. Who may read or write is only named here: to ask a request
is the business of :mod:`realtime_wall.auth.channel_permissions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from math import isfinite
from typing import Any

from realtime_wall.channels.message import Message

# Everybody, nobody, words for who, or a function of the project: may(request, channel) -> bool.
Who = bool | str | list[Any] | tuple[Any, ...] | Callable[..., Any] | None
WORDS = ("all", "nobody", "users", "staff", "token")
# What happens to a reader that is too slow for the channel.
OVERFLOWS = ("disconnect", "drop_oldest", "latest", "resync")
# Channels whose rule is remembered; strangers choose names.
REMEMBERED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for a channel."""

    read: Who = True
    write: Who = None  # staff and tokens over HTTP, nobody over a socket
    history_size: int = 1000  # messages kept
    history_bytes: int = 4 * 1024 * 1024
    history_age: float = 1800.0  # seconds
    max_subscribers: int = 0  # in this process; 0 for any number
    existing_only: bool = False
    tags: tuple[str, ...] | list[str] = ()  # fields by which a reader may choose messages
    delta: bool = False  # whether a reader may be told what is different from the message before
    wildcards: int = 0  # of one connection: news* and the like
    idle_time: float | None = None  # seconds; None for as long as its messages are kept
    overflow: str = "disconnect"
    key: str | None = None
    message_template: str | None = None
    header_template: str | None = None
    footer_template: str | None = None
    ping_text: str = " "
    ping_template: str | None = None
    timeout_with_body: bool = False  # of a long poll
    presence: bool | str | Callable[..., Any] = False  # who a socket is: who(socket, channel)


# The smallest value of what is a number.
_LEAST: dict[str, float] = {
    "history_size": 0,
    "history_bytes": 0,
    "history_age": 0,
    "max_subscribers": 0,
    "wildcards": 0,
    "idle_time": 0.1,
}
_WHOLE = {"history_size", "history_bytes", "max_subscribers", "wildcards"}
_KNOWN = {item.name.upper(): item.name for item in fields(Rule)}


def each(who: Who) -> Sequence[Who]:
    """The words and functions of which one is enough."""
    return who if isinstance(who, (list, tuple)) else (who,)


def is_open(who: Who) -> bool:
    """Whether it lets everybody."""
    return any(one is True or one == "all" for one in each(who))


class Rules:
    def __init__(self, setting: Mapping[str, Mapping[str, Any]], default: Rule | None = None) -> None:
        base = default or Rule()
        self._default = base
        self._rules = [
            (matcher(pattern), replace(base, **{_KNOWN[key]: value for key, value in options.items()}))
            for pattern, options in setting.items()
        ]
        self._found: dict[str, Rule] = {}
        self.have_presence = any(rule.presence is not False for _, rule in self._rules)
        self.have_idle_times = any(rule.idle_time is not None for _, rule in self._rules)

    def of(self, channel: str) -> Rule:
        if not self._rules:
            return self._default
        rule = self._found.get(channel)
        if rule is None:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            rule = self._found[channel] = self._find(channel)
        return rule

    def may_leave_out(self, messages: Iterable[Message]) -> bool:
        """Whether a slow reader can do without some of them."""
        return any(self.of(message.channel).overflow != "disconnect" for message in messages)

    def _find(self, channel: str) -> Rule:
        return next((rule for fits, rule in self._rules if fits(channel)), self._default)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Tells whether a channel's name fits a pattern; in linear time, whatever a stranger calls his."""
    first, *rest = pattern.split("*")
    if not rest:
        return lambda name: name == pattern
    *middle, last = rest
    shortest = sum(map(len, (first, *rest)))

    def fits(name: str) -> bool:
        if len(name) < shortest or not (name.startswith(first) and name.endswith(last)):
            return False
        at, end = len(first), len(name) - len(last)
        for part in middle:
            at = name.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return fits


def problems(setting: Any) -> list[tuple[str, str]]:
    """What is wrong with the setting, as (which item of REALTIME_WALL, sentence)."""
    if not isinstance(setting, Mapping):
        return [("['CHANNELS']", "has to be a dict of patterns and dicts")]
    found: list[tuple[str, str]] = []
    for pattern, options in setting.items():
        where = f"['CHANNELS'][{pattern!r}]"
        if not isinstance(pattern, str) or not pattern or "/" in pattern:
            found.append((where, "is no pattern of channel names"))
        elif not isinstance(options, Mapping):
            found.append((where, "has to be a dict"))
        else:
            found.extend((f"{where}[{key!r}]", reason) for key, reason in _option_problems(options))
    return found


def _option_problems(options: Mapping[Any, Any]) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    for key, value in options.items():
        name = _KNOWN.get(key)
        if name is None:
            close = get_close_matches(str(key).upper(), _KNOWN, n=1)
            found.append((key, "is not an option" + (f" (did you mean {close[0]!r}?)" if close else "")))
        elif reason := _value_problem(name, value):
            found.append((key, reason))
    if options.get("OVERFLOW") == "latest" and not options.get("KEY"):
        found.append(("OVERFLOW", "'latest' needs KEY: the field of a message that says what it is about"))
    if options.get("WILDCARDS") and any(
        callable(one) or (isinstance(one, str) and "." in one) for one in each(options.get("READ"))
    ):
        found.append(("WILDCARDS", "needs a READ in words: a function is asked about one channel at a time"))
    return found


def _value_problem(name: str, value: Any) -> str | None:
    if name in ("read", "write"):
        return None if _is_who(value) else f"cannot be {value!r}: {', '.join(WORDS)}, a function or its path"
    if name == "presence":
        is_path = isinstance(value, str) and "." in value
        if isinstance(value, bool) or callable(value) or is_path:
            return None
        return f"cannot be {value!r}: True, False, a function or its path"
    if name == "overflow":
        return None if value in OVERFLOWS else f"cannot be {value!r}: one of {', '.join(OVERFLOWS)}"
    if name == "tags":
        is_fine = isinstance(value, (list, tuple)) and all(isinstance(one, str) and one for one in value)
        return None if is_fine else f"cannot be {value!r}: a list of names of fields"
    if name in ("existing_only", "timeout_with_body", "delta"):
        return None if isinstance(value, bool) else f"cannot be {value!r}: True or False"
    if name in ("message_template", "ping_template") and value == "":
        return "is empty: listeners would be sent empty lines"
    if name.endswith("template") or name == "ping_text":
        return None if isinstance(value, str) else f"cannot be {value!r}: a text"
    if name == "key":
        return None if isinstance(value, str) and value else f"cannot be {value!r}: the name of a field"
    if name == "idle_time" and value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else (int, float)):
        return f"cannot be {value!r}: a number"
    if not isfinite(value) or value < _LEAST[name]:
        return f"cannot be less than {_LEAST[name]}"
    return None


def _is_who(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_who(one) and not isinstance(one, (list, tuple)) for one in value)
    if isinstance(value, str):
        return value in WORDS or "." in value
    return value is None or isinstance(value, bool) or callable(value)
