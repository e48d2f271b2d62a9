"""Do WebSockets, streams and long polls get through: opened, at once, and for long enough?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Any

from realtime_wall.management.doctor.faults import Finding
from realtime_wall.management.doctor.outside import NETWORK, Answer, OpenStream, Site
from realtime_wall.management.doctor.reaching import SEEN

# Seconds in which what is published has to arrive.
AT_ONCE = 3.0
# A browser's first steps with several tabs; what listens to find servers that are apart.
MANY, SEVERAL = 12, 4
BROWSER = {"Accept-Encoding": "gzip, deflate, br", "Accept": "text/event-stream"}
# Beyond the server's own interval, until its ping is missed.
GRACE = 5.0


def channel() -> str:
    return f"doctor.{token_hex(4)}"


def websocket(site: Site, is_explained: bool) -> Iterator[Finding]:
    """``is_explained``: why an origin would be refused has been explained."""
    with site.websocket() as found:
        if found.refused is not None:
            yield from _refused(site, found.refused, is_explained)
        elif found.problem:
            yield Finding("websocket-broken", f"({found.problem})")
        else:
            found.send_json(type="subscribe", channel=channel(), token=site.token, id=1)
            if not found.wait_for(b'"id":1', AT_ONCE) and not found.wait_for(b'"id": 1', 0.1):
                yield Finding("websocket-silent")


def _refused(site: Site, answer: Answer, is_explained: bool) -> Iterator[Finding]:
    text = answer.body[:300].decode("utf-8", "replace").strip()
    if answer.status == 426 and "speaks WebSocket" in text:
        arrived = site.ask(SEEN, headers={"Upgrade": "websocket", "Connection": "Upgrade"}).json()
        lost = [name for name in ("Upgrade", "Sec-WebSocket-Key") if not _arrives(arrived, name)]
        yield Finding("no-upgrade", f"(missing there: {', '.join(lost) or 'Connection: upgrade'})")
    elif answer.status == 403 and "origin" in text.lower():
        if not is_explained:
            yield Finding("origin-refused", f"({text})")
    elif answer.status == 400:
        yield Finding("websocket-broken", f"(400 {text})")
    else:
        yield Finding("websocket-refused", f"(the answer is {answer.status} {text[:80]})")


def _arrives(seen: dict[str, Any], name: str) -> bool:
    return bool(seen.get("headers", {}).get(name)) or name == "Sec-WebSocket-Key"


def streams(site: Site) -> Iterator[Finding]:
    """Several listen, one publishes, all have to hear it at once."""
    name = channel()
    with contextlib.ExitStack() as stack:
        try:
            first = stack.enter_context(site.stream(f"events/ev/{name}", BROWSER, AT_ONCE))
        except TimeoutError:
            yield Finding("stream-buffered", "(not even its beginning arrives)")
            return
        others = (site.stream(f"events/ev/{name}", BROWSER) for _ in range(1, SEVERAL))
        listeners = [first, *map(stack.enter_context, others)]
        problem = next(filter(None, map(_problem_of, listeners)), None)
        if problem is not None:
            yield problem
            return
        if not listeners[0].wait_for(b"retry:", AT_ONCE):
            yield Finding("stream-buffered", "(not even its beginning arrives)")
            return
        posted = site.publish(name, "are you there")
        if posted.status != 200:
            yield Finding("post-refused", f"({posted.status} {posted.explanation})")
            return
        with ThreadPoolExecutor(SEVERAL) as pool:
            heard = list(pool.map(lambda one: one.wait_for(b"are you there", AT_ONCE), listeners))
        if not any(heard):
            yield Finding("stream-buffered")
        elif not all(heard):
            yield Finding("servers-apart", f"({sum(heard)} of {SEVERAL} heard it)")


def _problem_of(stream: OpenStream) -> Finding | None:
    answer = stream.answer
    if answer.status == 403 and "not authorized" in answer.explanation:
        return Finding("closed", 'Let it: CHANNELS: {"doctor.*": {"READ": "token", "WRITE": "token"}}.')
    if answer.status != 200 or "text/event-stream" not in answer.headers.get("content-type", ""):
        return Finding("stream-refused", f"(the answer is {answer.status})")
    if answer.headers.get("content-encoding", "identity") != "identity":
        return Finding("stream-compressed", f"({answer.headers['content-encoding']})")
    return None


def polls(site: Site) -> Iterator[Finding]:
    """What was published last is what the next poll says."""
    name = channel()
    for text in ("first", "second"):
        if site.publish(name, text).status != 200:
            return
        answer = site.ask(f"events/poll/{name}.b1")
        if answer.status == 200 and text.encode() not in answer.body:
            yield Finding("polling-cached")
            return


def many_connections(site: Site) -> Iterator[Finding]:
    name, opened = channel(), 0
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            try:
                stream = stack.enter_context(site.stream(f"events/ev/{name}", BROWSER))
            except NETWORK:
                break
            if stream.answer.status in (429, 503):
                break
            opened += 1
    if opened < MANY:
        yield Finding("too-few-connections", f"({opened} got through)")


# Silence


def silence(site: Site, seen: dict[str, Any], longest: float) -> list[Finding]:
    """A WebSocket, a stream and a long poll that nobody says anything on, at once."""
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(probe, site, seen, longest) for probe in (_websocket, _stream, _long_poll)]
        found = [finding for one in running if (finding := one.result()) is not None]
    names = {finding.name for finding in found}
    return [next(one for one in found if one.name == name) for name in sorted(names)]


def _websocket(site: Site, seen: dict[str, Any], longest: float) -> Finding | None:
    with site.websocket() as found:
        if found.refused is not None or found.problem:
            return None
        found.wait_for_frame(0.5)  # its welcome
        began = time.monotonic()
        found.wait_for_frame(min(longest, seen["ping_interval"] + GRACE))
        if not found.is_over:
            return None
        return Finding("idle-cut", _after("a WebSocket", began, seen["ping_interval"], "PING_INTERVAL"))


def _stream(site: Site, seen: dict[str, Any], longest: float) -> Finding | None:
    with site.stream(f"events/ev/{channel()}", BROWSER) as stream:
        if stream.answer.status != 200:
            return None
        began = time.monotonic()
        stream.wait_for(b": -1", min(longest, seen["ping_interval"] + GRACE))
        if not stream.is_over:
            return None
        return Finding("idle-cut", _after("a stream", began, seen["ping_interval"], "PING_INTERVAL"))


def _long_poll(site: Site, seen: dict[str, Any], longest: float) -> Finding | None:
    patience = seen["long_poll_timeout"] + GRACE
    if patience > longest:
        return None
    began = time.monotonic()
    try:
        response, wire = site.send("GET", site.path(f"events/lp/{channel()}"), timeout=patience)
    except NETWORK:
        status = 0
    else:
        with wire, response:
            status = response.status
    if status in (200, 304, 403):
        return None
    return Finding("poll-cut", _after("one", began, seen["long_poll_timeout"], "LONG_POLL_TIMEOUT"))


def _after(what: str, began: float, interval: float, setting: str) -> str:
    return f"({what} after {time.monotonic() - began:.1f} s; {setting} is {interval:g} s)"
