"""Sites have middleware, sessions and deployments of many kinds: each of them with every way to connect.

A kind is what its settings say. On each a visitor signs in by a page, connects, is let into a channel that
is for users only, and hears what is published; a stranger is told that he may not.
"""

import json
import shutil
from collections import deque
from dataclasses import dataclass, field

import pytest

from tests.live import PATIENCE, LiveServer
from tests.settings import MIDDLEWARE

SESSIONS = "django.contrib.sessions"
LOCMEM = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@dataclass
class Kind:
    before: tuple = ()  # middleware around Django's own
    after: tuple = ()
    settings: dict = field(default_factory=dict)
    headers: tuple = ()  # what the proxy in front adds
    apps: tuple = ()

    def environment(self):
        middleware = ["site_app.middleware.MarkingMiddleware", *self.before, *MIDDLEWARE, *self.after]
        settings = {"MIDDLEWARE": middleware, **self.settings}
        return {"SITE_SETTINGS": json.dumps(settings), "SITE_ADD_ONS": " ".join(self.apps)}


def session(engine, **settings):
    return Kind(settings={"SESSION_ENGINE": f"{SESSIONS}.backends.{engine}", **settings})


KINDS = {
    # Django's own, as its documentation names them
    "as startproject makes it": Kind(),
    "sessions in cache and database": session("cached_db"),
    "sessions in signed cookies": session("signed_cookies"),
    "sessions in files": session("file"),
    "sessions saved by every request": Kind(
        after=("site_app.kinds.EagerMiddleware",), settings={"SESSION_SAVE_EVERY_REQUEST": True}
    ),
    "CSRF tokens in the session": Kind(settings={"CSRF_USE_SESSIONS": True}),
    "languages by the visitor": Kind(after=("django.middleware.locale.LocaleMiddleware",)),
    "answers compressed": Kind(before=("django.middleware.gzip.GZipMiddleware",)),
    "answers with an ETag": Kind(before=("django.middleware.http.ConditionalGetMiddleware",)),
    "the whole site in the cache": Kind(
        before=("django.middleware.cache.UpdateCacheMiddleware",),
        after=("django.middleware.cache.FetchFromCacheMiddleware",),
        settings={"CACHES": LOCMEM},
    ),
    "TLS by a proxy, and a redirect to it": Kind(
        settings={
            "SECURE_SSL_REDIRECT": True,
            "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
            "SESSION_COOKIE_SECURE": True,
            "SECURE_HSTS_SECONDS": 60,
        },
        headers=("X-Forwarded-Proto: https",),
    ),
    "transactions around requests": Kind(settings={"SITE_ATOMIC_REQUESTS": True}),
    "connections that are kept": Kind(settings={"SITE_CONN_MAX_AGE": 600}),
    # Sites' own
    "middleware with all of the older hooks": Kind(after=("site_app.kinds.OldStyleMiddleware",)),
    "middleware that is asynchronous only": Kind(before=("site_app.middleware.AsyncMiddleware",)),
    "a tenant in a context variable": Kind(before=("site_app.kinds.TenantMiddleware",)),
    "URLs of the tenant's own": Kind(before=("site_app.kinds.TenantURLsMiddleware",)),
    "the visitor's time zone": Kind(after=("site_app.kinds.TimeZoneMiddleware",)),
    "a subclass of the session's middleware": Kind(after=("site_app.kinds.MovedSessionMiddleware",)),
    # The add-ons that are used most
    "static files by whitenoise": Kind(before=("whitenoise.middleware.WhiteNoiseMiddleware",)),
    "corsheaders": Kind(apps=("corsheaders",), before=("corsheaders.middleware.CorsMiddleware",)),
    "allauth": Kind(
        apps=(
            "allauth",
            "allauth.account",
        ),
        after=("allauth.account.middleware.AccountMiddleware",),
    ),
    "axes": Kind(
        apps=("axes",),
        after=("axes.middleware.AxesMiddleware",),
        settings={
            "AUTHENTICATION_BACKENDS": [
                "axes.backends.AxesStandaloneBackend",
                "django.contrib.auth.backends.ModelBackend",
            ]
        },
    ),
    "csp": Kind(
        apps=("csp",),
        before=("csp.middleware.CSPMiddleware",),
        settings={"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"default-src": ["'self'"]}}},
    ),
    "debug toolbar": Kind(
        apps=("debug_toolbar",),
        before=("debug_toolbar.middleware.DebugToolbarMiddleware",),
        settings={
            "DEBUG": True,
            "INTERNAL_IPS": ["127.0.0.1"],
            "ROOT_URLCONF": "site_app.toolbar_urls",
            "DEBUG_TOOLBAR_PANELS": ["realtime_wall.tracing.toolbar_panel.PublishedPanel"],
        },
    ),
    "otp": Kind(apps=("django_otp",), after=("django_otp.middleware.OTPMiddleware",)),
    "simple history": Kind(
        apps=("simple_history",), after=("simple_history.middleware.HistoryRequestMiddleware",)
    ),
    "waffle": Kind(apps=("waffle",), after=("waffle.middleware.WaffleMiddleware",)),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """With the tables of all add-ons, and ada."""
    path = tmp_path_factory.mktemp("kinds") / "database.sqlite3"
    everything = Kind(
        after=KINDS["allauth"].after, apps=[app for kind in KINDS.values() for app in kind.apps]
    )
    server = LiveServer(environment={"SITE_DATABASE": str(path), **everything.environment()})
    code = "from django.contrib.auth.models import User; User.objects.create_user('ada', password='ada')"
    for command in (("migrate", "-v0"), ("shell", "-v0", "-c", code)):
        done = server.manage(*command)
        assert done.returncode == 0, done.stderr
    server.directory.cleanup()
    return path


class Site:
    """A server of one kind, as a proxy in front of it and a visitor's browser see it."""

    def __init__(self, server, kind):
        self.server, self.kind = server, kind
        scheme = "https" if "X-Forwarded-Proto: https" in kind.headers else "http"
        self.headers = [f"Origin: {scheme}://{server.host}", *kind.headers]
        self.stranger = list(self.headers)

    def sign_in(self):
        reply = self.request("POST", "/login/", b"name=ada&password=ada", FORM)
        assert reply.body == b"ada", reply
        cookies = [value.partition(";")[0] for name, value in reply.head if name == "set-cookie"]
        self.headers.append("Cookie: " + "; ".join(cookies))

    def open(self, method, path, body=b"", *headers):
        """A request, and the conversation that goes on."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.server.host}", *headers]
        lines += [f"Content-Length: {len(body)}"] if body else []
        conversation = self.server.talk("\r\n".join([*lines, "", ""]).encode() + body)
        conversation.connection.settimeout(PATIENCE)
        return conversation

    def request(self, method, path, body=b"", *headers):
        with self.open(method, path, body, *self.headers, *headers, "Connection: close") as conversation:
            return conversation.reply()

    def publish(self, text):
        assert self.request("POST", "/publish/?channel=users.all", text.encode()).status == 200


FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(params=KINDS)
def site(request, database, tmp_path):
    kind = KINDS[request.param]
    shutil.copy(database, tmp_path / "database.sqlite3")
    environment = {
        "SITE_DATABASE": str(tmp_path / "database.sqlite3"),
        **kind.environment(),
    }
    settings = {"CHANNELS": {"users.*": {"READ": "users"}}, "TRUSTED_PROXIES": ["127.0.0.1"]}
    with LiveServer(environment=environment, settings=settings) as server:
        site = Site(server, kind)
        site.sign_in()
        yield site
        assert server.stop() == 0
        assert "Traceback" not in server.output, server.output


def by_websocket(site):
    with site.server.client(additional_headers=headers_of(site.headers)) as client:
        assert client.ask("who")["user"] == "ada"
        assert client.subscribe("users.all", None)["type"] == "subscribed"
        site.publish("to the WebSocket")
        assert client.read_until(lambda one: one.get("channel"))["message"] == "to the WebSocket"
    with site.server.client(additional_headers=headers_of(site.stranger)) as client:
        assert client.subscribe("users.all")["code"] == "refused"


def headers_of(lines):
    return dict(line.split(": ", 1) for line in lines)


def by_socketio(site):
    path = "/socket.io/?EIO=4&transport=polling"
    session_id = json.loads(site.request("GET", path).body[1:])["sid"]
    path += f"&sid={session_id}"

    packets = deque()

    def read_until(beginning):
        while True:
            packets.extend(() if packets else site.request("GET", path).body.decode().split("\x1e"))
            packet = packets.popleft()
            if packet.startswith(beginning):
                return json.loads(packet[len(beginning) :])
            if packet == "2":
                site.request("POST", path, b"3")

    site.request("POST", path, b"40")
    assert "sid" in read_until("40")
    site.request("POST", path, b'420["who"]')
    assert read_until("430")[0]["user"] == "ada"
    site.request("POST", path, b'421["subscribe","users.all"]')
    assert "cursor" in read_until("431")[0]
    site.publish("to Socket.IO")
    while (event := read_until("42"))[0] != "message":
        pass
    assert event[1] == "to Socket.IO"


def by_event_source(site):
    assert refusal(site, "/events/ev/users.all") == 403
    with site.open(
        "GET", "/events/ev/users.all", b"", *site.headers, "Accept: text/event-stream"
    ) as listening:
        assert head_of(listening) == 200
        site.publish("to the EventSource")
        assert has_line(listening, b"to the EventSource")


def by_stream(site):
    assert refusal(site, "/events/sub/users.all") == 403
    with site.open("GET", "/events/sub/users.all", b"", *site.headers) as listening:
        assert head_of(listening) == 200
        site.publish("to the stream")
        assert has_line(listening, b"to the stream")


def by_long_polling(site):
    assert refusal(site, "/events/lp/users.all") == 403
    etag = site.request("GET", "/events/poll/users.all").headers["etag"]
    with site.open(
        "GET", "/events/lp/users.all", b"", *site.headers, f"If-None-Match: {etag}", "Connection: close"
    ) as listening:
        site.publish("to the poll")
        assert b"to the poll" in listening.reply().body


def refusal(site, path):
    with site.open("GET", path, b"", *site.stranger, "Connection: close") as conversation:
        return conversation.reply().status


def head_of(listening):
    return listening.reply(has_body=False).status


def has_line(listening, text):
    while line := listening.stream.readline():
        if text in line:
            return True
    return False


def test_each_way_to_connect_works_on_each_kind_of_site(site):
    by_websocket(site)
    by_socketio(site)
    by_event_source(site)
    by_stream(site)
    by_long_polling(site)


def test_the_kinds_are_at_least_fifteen():
    assert len(KINDS) >= 15
