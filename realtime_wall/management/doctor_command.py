"""``manage.py realtime doctor URL``: what can be said to it, and how does it say what it has found?"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from realtime_wall.auth.channel_token import channel_token
from realtime_wall.management.doctor import cures
from realtime_wall.management.doctor.examination import Examination
from realtime_wall.management.doctor.faults import Finding
from realtime_wall.management.doctor.outside import Site
from realtime_wall.management.load_command import header, is_address
from realtime_wall.views.seen_page import CHANNELS


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Looks at a site of yours from outside, as browsers do, names what is wrong between them and the "
        "server, and prints the lines that mend it. The server needs this project's SECRET_KEY."
    )
    parser.add_argument("url", help="of the site, as visitors write it: https://www.example.org/")
    parser.add_argument(
        "--proxy", choices=[*cures.PROXIES, "all"], help="whose lines are printed; it is found out if it says"
    )
    parser.add_argument(
        "--longest", type=float, default=60.0, metavar="SECONDS", help="to wait for a cut in silence (60)"
    )
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="for an answer (10)")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE", help="sent with each request"
    )
    parser.add_argument("--json", action="store_true", help="the findings as JSON")


def examine(options: dict[str, Any], report: Callable[[str], object]) -> Examination:
    url = options["url"]
    if not is_address(url):
        raise CommandError(f"{url!r} is no address of a site; one is https://www.example.org/")
    site = Site(
        url=url if url.endswith("/") else f"{url}/",
        token=channel_token(CHANNELS, write=True, max_age=900),
        extra=dict(map(header, options["header"])),
        timeout=options["timeout"],
    )
    examination = Examination(site, options["longest"], report)
    examination.run()
    return examination


def as_json(examination: Examination) -> str:
    return json.dumps(
        {
            "url": examination.site.url,
            "proxy": examination.proxy,
            "findings": [
                {"name": one.name, "text": str(one), "is_advice": one.is_advice}
                for one in examination.findings
            ],
        }
    )


def for_people(examination: Examination, wanted: str | None) -> str:
    if not examination.findings:
        return "Nothing is wrong."
    chosen = wanted or examination.proxy or "all"
    proxies = cures.PROXIES if chosen == "all" else (chosen,)
    return "\n\n".join(_paragraph(one, examination, proxies) for one in examination.findings)


def _paragraph(finding: Finding, examination: Examination, proxies: tuple[str, ...]) -> str:
    lines = [f"{'(advice) ' if finding.is_advice else ''}{finding}"]
    site = examination.site
    setting = cures.settings_for(finding.name, site.host, site.origin)
    for who, what in [("settings", [setting] if setting else [])] + [
        (proxy, cures.lines_for(finding.name, proxy)) for proxy in proxies
    ]:
        lines += [f"  {who if not number else '':<9} {line}" for number, line in enumerate(what)]
    return "\n".join(lines)
