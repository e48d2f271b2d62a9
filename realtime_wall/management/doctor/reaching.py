"""Does the live server answer at all, and what of a request has arrived there?"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from realtime_wall.management.doctor.faults import Finding, Hopeless
from realtime_wall.management.doctor.outside import Answer, Site
from realtime_wall.views.seen_page import COOKIE

SEEN = "health/seen/"
SENT = {"Cookie": "realtime-doctor=1", "Last-Event-ID": "doctor:1"}
# As large as a browser's get: a session, consent, analytics.
LARGE = {"Cookie": "filling=" + "x" * 6000}
# Of descriptors: fewer are a default of a shell, and not of somebody who has thought of it.
FEW = 4096


def reach(site: Site) -> tuple[Site, Answer, list[Finding]]:
    """The site that really answers, its first answer, and what was found. Hopeless if none does."""
    findings: list[Finding] = []
    for _ in range(4):
        try:
            answer = _ask(site)
        except ssl.SSLCertVerificationError as problem:
            findings.append(Finding("certificate", problem.verify_message + "."))
            site = replace(site, is_verified=False)
            continue
        if answer.status not in (301, 302, 303, 307, 308):
            _check(answer)
            return site, answer, findings
        location = urljoin(site.url + SEEN, answer.headers.get("location", ""))
        base = location.partition("?")[0].removesuffix(SEEN)
        if not location.partition("?")[0].endswith(SEEN):
            raise Hopeless("other-site", f"It leads to {location.partition('?')[0]}.")
        findings.append(Finding("redirected", f"It is {base}; that is looked at now."))
        site = replace(site, url=base)
    raise Hopeless("redirected", "It leads from one address to another without an end.")


def _ask(site: Site) -> Answer:
    try:
        return site.ask(SEEN)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as problem:
        if "ALERT_NO_APPLICATION_PROTOCOL" in str(problem).upper().replace(" ", "_"):
            raise Hopeless("only-http2") from problem
        raise Hopeless("no-tls", f"({problem.reason})") from problem
    except socket.gaierror as problem:
        raise Hopeless("no-such-host", f"({site.host})") from problem
    except TimeoutError as problem:
        raise Hopeless("no-answer", f"It was waited {site.timeout:g} s for it.") from problem
    except http.client.HTTPException as problem:
        raise Hopeless("no-answer", f"({problem!r})") from problem
    except ConnectionRefusedError as problem:
        raise Hopeless("nobody-listens", f"({site.host}, port {site.port})") from problem
    except OSError as problem:
        raise Hopeless("no-answer", f"({problem})") from problem


def _check(answer: Answer) -> None:
    status, body = answer.status, answer.body[:2000].decode("utf-8", "replace")
    match status:
        case 200 if "ping_interval" in answer.json():
            return
        case 200:
            raise Hopeless("other-site")
        case 400 if "Bad Request (400)" in body or "DisallowedHost" in body:
            raise Hopeless("host-refused", "Add it to ALLOWED_HOSTS, or let the proxy pass the visitor's on.")
        case 401 | 407:
            raise Hopeless("password")
        case 403 if answer.explanation:
            raise Hopeless("other-key", f"({answer.explanation})")
        case 403:
            raise Hopeless("forbidden")
        case 404 | 405:
            raise Hopeless("no-live-addresses", f"(the answer is {status})")
        case 503 if "no live server" in body:
            raise Hopeless("other-server")
        case 502 | 503 | 504:
            raise Hopeless("nobody-behind", f"(the answer is {status})")
    raise Hopeless("no-answer", f"(the answer is {status})")


def what_arrives(site: Site) -> Iterator[Finding]:
    answer = site.ask(SEEN, headers={**SENT, "Origin": site.origin, "Authorization": f"Bearer {site.token}"})
    seen = answer.json()
    if not seen:
        yield Finding("origin-refused", f"({answer.status} {answer.explanation})")
        return
    yield from _who_is_asked(site, seen)
    headers = seen["headers"]
    if seen["origin"] != site.origin:
        yield Finding("origin-lost", f"(sent {site.origin}, arrived {seen['origin']})")
    if COOKIE not in seen["cookies"]:
        yield Finding("cookie-lost")
    if COOKIE not in answer.headers.get("set-cookie", ""):
        yield Finding("set-cookie-lost")
    if seen["secure_cookies"] and not site.is_tls:
        yield Finding("secure-cookie")
    if not headers["Authorization"]:
        yield Finding("authorization-lost")
    if not headers["Last-Event-ID"]:
        yield Finding("last-event-id-lost")
    yield from _who_asks(site, seen, answer)
    if seen["descriptors"] < FEW:
        yield Finding(
            "few-descriptors", f"({seen['descriptors']}: raise LimitNOFILE in the unit, or ulimit -n)"
        )
    if seen["protocol"] == "HTTP/1.0":
        yield Finding("http-1.0")


def _who_is_asked(site: Site, seen: dict[str, Any]) -> Iterator[Finding]:
    host, scheme = seen["host"], seen["scheme"]
    if host.lower() not in (site.parts.netloc.lower(), f"{site.host}:{site.port}".lower()):
        yield Finding("host-lost", f"(asked for {site.parts.netloc}, arrived as {host})")
    if scheme == site.parts.scheme:
        return
    if not seen["is_forwarded"] or not seen["headers"]["X-Forwarded-Proto"]:
        yield Finding("scheme-lost", f"({site.parts.scheme} arrived as {scheme}: nothing says otherwise)")
    elif not seen["has_ssl_header"]:
        yield Finding("scheme-lost", "X-Forwarded-Proto arrives; SECURE_PROXY_SSL_HEADER is not set.")
    else:
        yield Finding("scheme-lost", f"(X-Forwarded-Proto arrives and says {scheme})")


def _who_asks(site: Site, seen: dict[str, Any], answer: Answer) -> Iterator[Finding]:
    if seen["is_forwarded"] and not seen["is_trusted"]:
        yield Finding("proxy-not-trusted", "Name it in REALTIME_WALL['TRUSTED_PROXIES'].")
    elif _is_behind_a_proxy(answer) and not seen["headers"]["X-Forwarded-For"]:
        yield Finding("address-lost")


def _is_behind_a_proxy(answer: Answer) -> bool:
    """As far as it says so; our server has no such header."""
    return bool(answer.headers.get("via") or answer.headers.get("server"))
