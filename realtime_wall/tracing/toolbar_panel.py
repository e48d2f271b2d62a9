"""What has this request said to whom? A panel of django-debug-toolbar.

It puts itself around what carries out commands, when the toolbar is made ready: a site that does not name it
in ``DEBUG_TOOLBAR_PANELS`` pays nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from debug_toolbar.panels import Panel
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from realtime_wall.brokers.commands import Command, GetPosition
from realtime_wall.brokers.results import Answers, Receipt
from realtime_wall.channels.names import EVERYONE
from realtime_wall.control import control_client
from realtime_wall.node.node import Node

# What the toolbar keeps of each is shown again later: of a long message the beginning.
SHOWN = 200
HEADINGS = ("what", "to", "event", "data", "result", "milliseconds")

# The lines of the request that is answered in this greenlet or thread.
_lines: ContextVar[list[dict[str, str]] | None] = ContextVar("lines", default=None)


class PublishedPanel(Panel):
    title = "Published"

    @classmethod
    def ready(cls) -> None:
        if not hasattr(Node.perform, "__wrapped__"):
            Node.perform = _noting(Node.perform)  # type: ignore[method-assign]
            control_client.perform = _noting(control_client.perform)

    @property
    def nav_subtitle(self) -> str:
        return f"{len(self._noted)} by this request"

    @property
    def _noted(self) -> list[dict[str, str]]:
        stats: dict[str, list[dict[str, str]]] = self.get_stats()  # type: ignore[no-untyped-call]
        return stats.get("lines", [])

    @property
    def content(self) -> str:
        heads = format_html_join("", "<th>{}</th>", ((heading,) for heading in HEADINGS))
        rows = format_html_join("", "<tr>{}</tr>", ((_cells(line),) for line in self._noted))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, rows)

    def process_request(self, request: HttpRequest) -> HttpResponse:
        lines: list[dict[str, str]] = []
        token = _lines.set(lines)
        try:
            response: HttpResponse = super().process_request(request)  # type: ignore[no-untyped-call]
        finally:
            _lines.reset(token)
        self.record_stats({"lines": lines})  # type: ignore[no-untyped-call]
        return response


def _cells(line: dict[str, str]) -> str:
    return format_html_join("", "<td>{}</td>", ((line[heading],) for heading in HEADINGS))


def _noting(perform: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(perform)
    def noted(*args: Any) -> Any:
        lines = _lines.get()
        command = next(one for one in args if isinstance(one, Command))
        if lines is None or isinstance(command, GetPosition):
            return perform(*args)
        lines.append(line := _line_of(command))
        began = perf_counter()
        try:
            result = perform(*args)
            line["result"] = _words_of(result)
            return result
        except Exception as problem:
            line["result"] = f"{type(problem).__name__}: {problem}"
            raise
        finally:
            line["milliseconds"] = f"{1000 * (perf_counter() - began):.1f}"

    return noted


def _line_of(command: Command[Any]) -> dict[str, str]:
    found = {name: getattr(command, name, None) for name in ("channel", "session_id", "user_id", "event")}
    to = "everyone" if found["channel"] == EVERYONE else found["channel"]
    return {
        "what": type(command).__name__,
        "to": str(to or found["session_id"] or found["user_id"] or ""),
        "event": found["event"] or "",
        "data": getattr(command, "data_json", "")[:SHOWN],
    }


def _words_of(result: Any) -> str:
    if isinstance(result, Receipt):
        return f"{result.sockets} sockets" if result.position is None else str(result.position)
    return f"{len(result.answers)} answers" if isinstance(result, Answers) else ""
