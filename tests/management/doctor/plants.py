"""What somebody has got wrong in nginx: each a server block, and the name that the doctor has to find.

The sound block is docs/howto/deploy/nginx.conf's; a plant is what is different, by pattern and replacement,
or lines that are added to its location.
"""

import re
from dataclasses import dataclass, field

from tests.live import ROOT

DOCUMENTED = (ROOT / "docs/howto/deploy/nginx.conf").read_text()
SERVER = DOCUMENTED[DOCUMENTED.index("server {") :]
STATIC = ROOT / "realtime_wall/static"


@dataclass
class Plant:
    found: str
    why: str
    change: list = field(default_factory=list)  # (pattern, replacement)
    add: str = ""  # to the location
    server: str = ""  # to the server block
    upstream: str = "site"
    tls: bool = False
    also: tuple = ()  # what it brings with it

    def block(self, port, folder):
        text = SERVER
        if self.tls:
            text = text.replace("listen 80;", f"listen 80 ssl; ssl_certificate {folder}/site.pem; "
                                f"ssl_certificate_key {folder}/site.key;")  # fmt: skip
        for pattern, replacement in [
            *self.change,
            (r"listen 80", f"listen 127.0.0.1:{port}"),
            (r"www\.example\.com", "localhost"),
            (r"/srv/site/static/", f"{STATIC}/"),
            (r"http://site", f"http://{self.upstream}"),
        ]:
            changed = re.sub(pattern, replacement, text)
            assert changed != text or pattern.startswith(("http://site", "/srv")), f"{self.why}: {pattern}"
            text = changed
        text = re.sub(r"(location / \{)", rf"{self.server}\n\1\n{self.add}", text)
        return text


def without(line):
    return [(rf" *{line}.*\n", "")]


def header(name, value):
    return f'proxy_set_header {name} "{value}";'


HOST = r"proxy_set_header Host \$http_host;"
PLANTS = [
    Plant("host-lost", "Host is not passed on", without("proxy_set_header Host")),
    Plant("host-lost", "Host without its port", [(r"\$http_host", "$host")]),
    Plant("host-lost", "Host is the upstream's", [(HOST, header("Host", "127.0.0.1:8000"))]),
    Plant("host-refused", "Host is one that Django does not know", upstream="strict"),
    Plant("scheme-lost", "another proxy's scheme",
          [(r"X-Forwarded-Proto \$scheme", "X-Forwarded-Proto https")]),
    Plant("scheme-lost", "TLS ends here, and nobody says so", without("proxy_set_header X-Forwarded-Proto"),
          tls=True),
    Plant("scheme-lost", "TLS ends here, and Django does not look", tls=True, upstream="unlooking"),
    Plant("certificate", "a certificate of one's own making", tls=True),
    Plant("no-http2", "HTTP/2 is not turned on", tls=True),
    Plant("address-lost", "nobody says who visits", without("proxy_set_header X-Forwarded-For")),
    Plant("proxy-not-trusted", "the proxy is not among TRUSTED_PROXIES", upstream="untrusting"),
    Plant("no-upgrade", "Upgrade is not passed on", without("proxy_set_header Upgrade")),
    Plant("no-upgrade", "Connection is not passed on", without("proxy_set_header Connection")),
    Plant("http-1.0", "HTTP/1.0 to the server", without("proxy_http_version")),
    Plant("origin-lost", "Origin is dropped", add=header("Origin", "")),
    Plant("origin-lost", "Origin is rewritten", add=header("Origin", "http://127.0.0.1:8000")),
    Plant("cookie-lost", "cookies are dropped, for a cache", add=header("Cookie", "")),
    Plant("set-cookie-lost", "cookies are dropped from answers", add="proxy_hide_header Set-Cookie;"),
    Plant("authorization-lost", "Authorization is dropped", add=header("Authorization", "")),
    Plant("last-event-id-lost", "Last-Event-ID is dropped", add=header("Last-Event-ID", "")),
    Plant("websocket-broken", "a header of the handshake is dropped", add=header("Sec-WebSocket-Key", "")),
    Plant("websocket-refused", "the WebSocket's address is closed", server="location /ws/ { return 403; }"),
    Plant("websocket-refused", "the WebSocket's address is elsewhere",
          server="location /ws/ { return 404; }"),
    Plant("polling-refused", "Socket.IO's address is closed", server="location /socket.io/ { return 403; }"),
    Plant("stream-refused", "the streams' address is closed", server="location /events/ev/ { return 403; }"),
    Plant("post-refused", "only GET may pass", add="limit_except GET { deny all; }"),
    Plant("body-too-small", "nginx's limit of bodies is low",
          [("client_max_body_size 1m", "client_max_body_size 16k")]),
    Plant("headers-too-small", "a cookie does not fit", server="large_client_header_buffers 4 4k;"),
    Plant("script-missing", "static files are not there", [("/srv/site/static/", "/nowhere/")]),
    Plant("script-type", "mime.types is not included", server="types { } default_type text/plain;"),
    Plant("stream-buffered", "streams are buffered in any case", server="location /events/ev/ { "
          # By HTTP/1.1, which nginx 1.30 speaks unless it is told otherwise, each chunk is passed on.
          "proxy_http_version 1.0; proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; "
          "proxy_pass http://site; proxy_set_header Host $http_host; }"),
    Plant("stream-compressed", "event streams are zipped",
          add="gzip on; gzip_proxied any; gzip_types text/event-stream; gzip_min_length 0;"),
    Plant("polling-cached", "polls are cached in any case",
          [("proxy_buffering off;", "proxy_ignore_headers X-Accel-Buffering Cache-Control Expires Vary;")],
          server="location /events/poll/ { proxy_pass http://site; proxy_set_header Host $http_host; "
          "proxy_cache polls; proxy_cache_valid 200 1m; "
          "proxy_ignore_headers Cache-Control Expires Vary X-Accel-Buffering; }"),
    Plant("servers-apart", "two servers that do not know each other", upstream="apart"),
    Plant("too-few-connections", "few connections from one address", server="limit_conn few 6;"),
    Plant("idle-cut", "the time limit is short", [("proxy_read_timeout 75s", "proxy_read_timeout 1s")],
          also=("poll-cut",)),
    Plant("poll-cut", "the time limit of long polls is short",
          server="location /events/lp/ { proxy_pass http://site; proxy_set_header Host $http_host; "
          "proxy_read_timeout 1s; }"),
    Plant("nobody-behind", "the server is not running", upstream="gone"),
    Plant("password", "a password for everybody",
          add='auth_basic "staging"; auth_basic_user_file /dev/null;'),
    Plant("forbidden", "closed to everybody", add="deny all;"),
    Plant("other-site", "a page that answers everything",
          [("proxy_pass http://site", 'return 200 "hello"')]),
    Plant("no-live-addresses", "a location that takes health/", server="location /health/ { return 404; }"),
    Plant("redirected", "http leads to another address",
          server="if ($host = localhost) { return 301 http://127.0.0.1:$server_port$request_uri; }"),
    Plant("other-key", "the project there has another key", upstream="other"),
    Plant("other-server", "Django is there, under another server", upstream="wsgi"),
    Plant("secure-cookie", "secure cookies without TLS", upstream="secure"),
]  # fmt: skip

# What each upstream is: settings of ours, and of Django's. Others are "gone", "apart" (two) and "wsgi".
PROXIED = {"SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"]}
UPSTREAMS = {
    "site": ({}, PROXIED),
    "stranger": ({}, PROXIED),
    "strict": ({}, {**PROXIED, "ALLOWED_HOSTS": ["www.example.com"]}),
    "unlooking": ({}, {}),
    "untrusting": ({"TRUSTED_PROXIES": ["192.0.2.1"]}, PROXIED),
    "other": ({}, {**PROXIED, "SECRET_KEY": "another one"}),
    "secure": ({}, {**PROXIED, "SESSION_COOKIE_SECURE": True}),
}
# Sound sites: over http and over TLS.
SOUND = [
    Plant("", "sound"),
    Plant("", "sound over TLS", [(r"listen ([^;]* ssl)", r"listen \1 http2")], tls=True),
]
# Tried each time; the others are tried by make prove.
QUICK = ("host-lost", "no-upgrade", "stream-buffered", "body-too-small", "idle-cut")
