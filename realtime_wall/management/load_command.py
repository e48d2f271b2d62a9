"""What can be said to ``manage.py realtime load``, and how is it told what came of it?"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError, OutputWrapper

from realtime_wall.auth.channel_token import channel_token
from realtime_wall.management.load_generator import Latencies, LoadResult, Plan

# Bounds of what one process of this may do to a server: (option, default, most, what it is).
BOUNDS = (
    ("connections", 100, 20_000, "WebSockets in all"),
    ("joins", 50.0, 2_000.0, "how many come each second"),
    ("channels", 1, 10_000, "over which they are spread: load.0, load.1, ..."),
    ("rate", 1.0, 1_000.0, "messages published each second, over all channels"),
    ("seconds", 10.0, 3_600.0, "for how long, once all are there"),
    ("size", 200, 65_536, "bytes of a message"),
)
# From here on it is this process that is slow, and not the server.
TOO_BUSY = 0.8


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Opens WebSockets to a server of yours, publishes on channels and measures when everybody has heard "
        "it. The server needs this project's SECRET_KEY, by which the load is let in."
    )
    parser.add_argument("url", help="of the site, such as http://127.0.0.1:8000/")
    for name, default, most, what in BOUNDS:
        text = f"{what} ({default:g}; at most {most:,})"
        parser.add_argument(f"--{name}", type=type(default), default=default, metavar="N", help=text)
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE", help="sent with each request; a Cookie"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument("--yes", action="store_true", help="the server is mine, and not on this machine")


def plan_of(options: dict[str, Any]) -> Plan:
    """CommandError for what cannot be, or should not."""
    url = urlsplit(options["url"])
    if not is_address(options["url"]):
        raise CommandError(f"{options['url']!r} is no address of a site; one is http://127.0.0.1:8000/")
    if not options["yes"] and not _is_here(url.hostname or ""):
        raise CommandError(f"{url.hostname} is another machine: say --yes if it is yours to be loaded")
    for name, _, most, _ in BOUNDS:
        if not 0 < options[name] <= most:
            raise CommandError(f"--{name} has to be a number up to {most:,}, and more than 0")
    return Plan(
        url=options["url"] if options["url"].endswith("/") else f"{options['url']}/",
        token=channel_token("load.*", write=True, max_age=options["seconds"] + 3600),
        headers=dict(map(header, options["header"])),
        **{name: options[name] for name, *_ in BOUNDS},
    )


def is_address(text: str) -> bool:
    """Whether it is that of a site."""
    url = urlsplit(text)
    return url.scheme in ("http", "https") and bool(url.hostname) and not url.query


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise CommandError(f"--header {text!r} is none: it is written 'Cookie: sessionid=...'")
    return name.strip(), value.strip()


def show_progress(stream: OutputWrapper) -> Callable[[LoadResult], None]:
    def show(result: LoadResult) -> None:
        stream.write(
            f"\r{result.connected:,} connected, {result.published:,} published, "
            f"{result.delivered:,} delivered, p99 {_milliseconds(result.delivering.at(0.99))}   ",
            ending="",
        )
        stream.flush()

    return show


def for_people(result: LoadResult, plan: Plan) -> str:
    of_all = f"{result.expected:,}"
    if result.expected:
        of_all += f" ({result.delivered / result.expected:.2%})"
    lines = [
        f"Joined:     {result.joined:,} of {plan.connections:,}, after {_times(result.connecting)}",
        f"Published:  {result.published:,} messages of {plan.size:,} bytes",
        f"Delivered:  {result.delivered:,} of {of_all}, after {_times(result.delivering)}",
    ]
    if result.gaps:
        lines.append(f"Gaps told:  {result.gaps:,}")
    lines += [f"{count:>6,} x    {problem}" for problem, count in result.problems.most_common(10)]
    if result.busy > TOO_BUSY:
        lines.append(
            f"This process took {result.busy:.0%} of a core: it, and not the server, may be what is slow. "
            "Run several at once, with fewer connections each."
        )
    return "\n".join(lines)


def _times(latencies: Latencies) -> str:
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return ", ".join(f"{name} {_milliseconds(latencies.at(share))}" for name, share in shares.items())


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"
