"""Do ordinary requests get through: POSTs, large ones, polls, the script?"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from typing import Any

from realtime_wall.management.doctor.faults import Finding
from realtime_wall.management.doctor.outside import NETWORK, Answer, Site
from realtime_wall.management.doctor.reaching import LARGE, SEEN

POLLING = "socket.io/?EIO=4&transport=polling"
PASSED_ON = (200, 204)


def large_requests(site: Site, seen: dict[str, Any]) -> Iterator[Finding]:
    answer = _answer(site, SEEN, headers=LARGE)
    if answer is None or answer.status != 200:
        yield Finding("headers-too-small", _status(answer))
    answer = _answer(site, SEEN, "POST", body=b"x")
    if answer is None or answer.status != 200:
        yield Finding("post-refused", _status(answer))
        return
    size = int(min(seen["message_size"], 1024 * 1024) * 0.9)
    answer = _answer(site, SEEN, "POST", body=b"x" * size)
    if answer is None or answer.status != 200 or answer.json().get("body") != size:
        yield Finding("body-too-small", f"{_status(answer)} MESSAGE_SIZE is {seen['message_size']:,} bytes.")


def script(site: Site, seen: dict[str, Any]) -> Iterator[Finding]:
    if not seen["script"].startswith("/"):
        return  # from a place of its own
    answer = _answer(site, seen["script"], token=False)
    if answer is None or answer.status != 200:
        yield Finding(
            "script-missing", f"{_status(answer)} ({seen['script']}: collectstatic, and a location)"
        )
    elif "javascript" not in answer.headers.get("content-type", ""):
        yield Finding("script-type", f"({answer.headers.get('content-type', 'no Content-Type')})")


def socketio_polling(site: Site) -> Iterator[Finding]:
    """A session, and something said in it, by two connections."""
    answer = _answer(site, POLLING, headers={"Origin": site.origin}, token=False)
    if answer is None or answer.status != 200 or not answer.body.startswith(b"0{"):
        if answer is not None and answer.status == 403 and b"origin" in answer.body.lower():
            yield Finding("origin-refused")
        else:
            yield Finding("polling-refused", _status(answer))
        return
    opened = Answer(200, {}, answer.body[1:]).json()
    path = f"{POLLING}&sid={opened.get('sid', '')}"
    headers = {"Origin": site.origin, "Content-Type": "text/plain;charset=UTF-8"}
    posted = _answer(site, path, "POST", headers, b"40", token=False)
    if posted is None or posted.status != 200 or posted.body != b"ok":
        yield Finding("post-refused", _status(posted))


def http2(site: Site) -> Iterator[Finding]:
    if not site.is_tls:
        return
    with site.dial("h2", "http/1.1") as connection:
        chosen = connection.selected_alpn_protocol() if isinstance(connection, ssl.SSLSocket) else None
    if chosen != "h2":
        yield Finding("no-http2")


def _answer(site: Site, *arguments: Any, **options: Any) -> Answer | None:
    """None when the connection ends, or nothing comes."""
    try:
        return site.ask(*arguments, **options)
    except NETWORK:
        return None


def _status(answer: Answer | None) -> str:
    if answer is None:
        return "(the connection ends without an answer)"
    return f"(the answer is {answer.status} {http.client.responses.get(answer.status, '')})"
