"""In which order is a site examined, and what makes it hopeless to go on?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from realtime_wall.management.doctor import live_probes, reaching, request_probes
from realtime_wall.management.doctor.cures import proxy_of
from realtime_wall.management.doctor.faults import Finding, Hopeless
from realtime_wall.management.doctor.outside import NETWORK, Site

# Whoever is asked under another name refuses the visitor's origin: that needs not be said twice.
EXPLAIN_ORIGINS = {"host-lost", "scheme-lost", "origin-lost", "origin-refused"}
# What follows from what was found is not said: it is mended with it.
FOLLOWS = {
    **dict.fromkeys(EXPLAIN_ORIGINS, {"stream-refused", "websocket-refused"}),
    "http-1.0": {"no-upgrade", "websocket-broken"},
    "servers-apart": {"post-refused"},
}


class Examination:
    """``findings`` are what was found, each once; ``proxy`` is what says that it is in front."""

    def __init__(self, site: Site, longest: float, report: Callable[[str], object]) -> None:
        self.site = site
        self.findings: list[Finding] = []
        self.proxy: str | None = None
        self._longest = longest
        self._report = report

    def run(self) -> None:
        self._report("the address")
        try:
            self.site, answer, found = reaching.reach(self.site)
        except Hopeless as problem:
            self._add([problem.finding])
            return
        self._add(found)
        seen, site = answer.json(), self.site
        self.proxy = proxy_of(answer.headers.get("server", ""))
        self._try("what arrives", lambda: reaching.what_arrives(site))
        self._try("the script", lambda: request_probes.script(site, seen))
        self._try("large requests", lambda: request_probes.large_requests(site, seen))
        is_explained = any(one.name in EXPLAIN_ORIGINS for one in self.findings)
        self._try("a WebSocket", lambda: live_probes.websocket(site, is_explained))
        if not is_explained:
            self._try("Socket.IO", lambda: request_probes.socketio_polling(site))
        self._try("event streams", lambda: _twice(lambda: live_probes.streams(site)))
        self._try("polls", lambda: live_probes.polls(site))
        if not any(one.name.startswith("stream-") for one in self.findings):
            self._try("many at once", lambda: live_probes.many_connections(site))
        self._try("HTTP/2", lambda: request_probes.http2(site))
        if self._longest > 0:
            self._try("silence", lambda: live_probes.silence(site, seen, self._longest))
        named = {one.name for one in self.findings}
        follow = set().union(*(FOLLOWS.get(name, set()) for name in named))
        self.findings = [one for one in self.findings if one.name not in follow]

    def _try(self, what: str, probe: Callable[[], Iterable[Finding]]) -> None:
        self._report(what)
        self._add(_survived(what, probe))

    def _add(self, found: Iterable[Finding]) -> None:
        for finding in found:
            if all(finding.name != other.name for other in self.findings):
                self.findings.append(finding)


def _twice(probe: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What is about time is found only if it is found again."""
    found = list(probe())
    return list(probe()) if any(one.name == "stream-buffered" for one in found) else found


def _survived(what: str, probe: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from probe()
    except NETWORK as problem:
        yield Finding("no-answer", f"({what}: {problem!r})")
