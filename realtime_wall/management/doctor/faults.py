"""What can be wrong between a browser and the server, and in how many words is it said?

Each fault has a name, a sentence, and where it is mended: lines for each proxy (``cures.py``), or a setting.
"""

from __future__ import annotations

from dataclasses import dataclass

FAULTS = {
    # Nobody answers as the live server would
    "no-such-host": "The name has no address.",
    "nobody-listens": "No connection is accepted there.",
    "no-answer": "A connection is accepted, and nothing comes back.",
    "no-tls": "The port does not speak TLS: the address should begin with http://, or TLS is not set up.",
    "certificate": "Browsers will not accept the certificate.",
    "redirected": "The address leads to another one, and a WebSocket follows no redirect.",
    "nobody-behind": "The proxy finds no server behind it.",
    "password": "Somebody in front asks for a password: a WebSocket cannot give one.",
    "forbidden": "The proxy refuses the address.",
    "host-refused": "Django does not know this host name.",
    "no-live-addresses": "realtime_wall.urls is not there.",
    "other-site": "Another page answers at realtime_wall's addresses.",
    "other-server": "Django runs, but not under rungevent.",
    "other-key": "The server has another SECRET_KEY than this project, or its clock is wrong.",
    "headers-too-small": "Requests with cookies of 6 KB, as browsers send them, are refused.",
    # What is lost on the way
    "host-lost": "The server is asked under another host name than the visitor's.",
    "scheme-lost": "The server believes that visitors come by another scheme.",
    "origin-lost": "The Origin header does not arrive as it was sent.",
    "cookie-lost": "Cookies do not arrive: nobody is signed in.",
    "set-cookie-lost": "Cookies that the server sets do not reach the browser.",
    "secure-cookie": "SESSION_COOKIE_SECURE is on, and there is no TLS: nobody stays signed in.",
    "authorization-lost": "The Authorization header does not arrive: tokens of programs are lost.",
    "last-event-id-lost": "The Last-Event-ID header does not arrive: who comes back misses some.",
    "address-lost": "The server does not know visitors' addresses: limits by address hit all at once.",
    "proxy-not-trusted": "The proxy says who the visitor is, and is not believed.",
    "http-1.0": "The proxy speaks HTTP/1.0 to the server: no WebSocket, no stream in chunks.",
    "few-descriptors": "The server may open few files: each client is one.",
    # Sockets
    "no-upgrade": "The WebSocket's Upgrade does not reach the server.",
    "websocket-refused": "WebSockets are refused.",
    "websocket-broken": "The WebSocket's handshake is answered wrongly.",
    "websocket-silent": "A WebSocket opens, and nothing comes through.",
    "origin-refused": "The server refuses the site's own origin.",
    # Requests
    "polling-refused": "Socket.IO's polling is refused.",
    "post-refused": "POST is refused: nothing can be said by polling, or published.",
    "body-too-small": "Bodies that the server would take are refused.",
    "script-missing": "The script realtime.js is not served.",
    "script-type": "The script realtime.js is served as something else: browsers refuse it.",
    # Streams
    "stream-refused": "Event streams are refused.",
    "stream-buffered": "Event streams are held back: what is published does not arrive at once.",
    "stream-compressed": "Event streams are compressed on the way, which holds them back.",
    "polling-cached": "Answers to polls are cached on the way: what is new is not seen.",
    "servers-apart": "Servers behind the proxy do not hear what is published on each other.",
    "too-few-connections": "Twelve streams at once are too many for the proxy.",
    # Time
    "idle-cut": "Silent connections are cut before the server's next ping.",
    "poll-cut": "Long polls are cut before the server answers them.",
    # TLS
    "no-http2": "HTTP/2 is not offered: a browser then has six connections for all its tabs.",
    "only-http2": "HTTP/1.1 is not offered: WebSockets do not open.",
    # Not a fault of the way
    "closed": "The site's rules close the channels that the doctor tries; streams were not tried.",
}

# What is worth to be known, and keeps nobody from anything.
ADVICE = {"no-http2", "closed", "few-descriptors"}


@dataclass(frozen=True)
class Finding:
    name: str
    detail: str = ""

    @property
    def is_advice(self) -> bool:
        return self.name in ADVICE

    def __str__(self) -> str:
        return f"{self.name}: {FAULTS[self.name]}{f' {self.detail}' if self.detail else ''}"


class Hopeless(Exception):
    """Nothing else can be tried."""

    def __init__(self, name: str, detail: str = "") -> None:
        self.finding = Finding(name, detail)
        super().__init__(str(self.finding))
