"""Which lines of a proxy's configuration mend a fault?

By what they do: several faults are mended by the same lines. ``SETTINGS`` are for the site itself.
"""

from __future__ import annotations

PROXIES = ("nginx", "caddy", "apache", "traefik", "haproxy")

# What is to be done, and how each proxy is told: in PROXIES' order.
LINES: dict[str, tuple[str, str, str, str, str]] = {
    "pass": (
        "location / { proxy_pass http://site; }    # and upstream site { server 127.0.0.1:8000; }",
        "reverse_proxy 127.0.0.1:8000",
        "ProxyPass / http://127.0.0.1:8000/ upgrade=websocket",
        "services: {site: {loadBalancer: {servers: [{url: 'http://127.0.0.1:8000'}]}}}",
        "backend site\n    server site1 127.0.0.1:8000 check",
    ),
    "host": (
        "proxy_set_header Host $http_host;",
        "# in reverse_proxy: no 'header_up Host'; Caddy passes it on",
        "ProxyPreserveHost On",
        "loadBalancer: {passHostHeader: true}",
        "# no 'http-request set-header Host'; HAProxy passes it on",
    ),
    "scheme": (
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "# in reverse_proxy: no 'header_up -X-Forwarded-Proto'; Caddy sends it",
        'RequestHeader set X-Forwarded-Proto "https"',
        "# it is sent; behind another proxy: entryPoints: {web: {forwardedHeaders: {trustedIPs: [...]}}}",
        "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
    ),
    "address": (
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "# in reverse_proxy: no 'header_up -X-Forwarded-For'; Caddy sends it",
        "ProxyAddHeaders On",
        "# it is sent; behind another proxy: entryPoints: {web: {forwardedHeaders: {trustedIPs: [...]}}}",
        "option forwardfor",
    ),
    "upgrade": (
        "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }    # in http\n"
        "proxy_http_version 1.1;\n"
        "proxy_set_header Upgrade $http_upgrade;\n"
        "proxy_set_header Connection $connection_upgrade;",
        "# in reverse_proxy: no 'header_up Upgrade' or 'Connection'; 'transport http' with versions 1.1",
        "ProxyPass / http://127.0.0.1:8000/ upgrade=websocket",
        "# it passes them on; no middleware of type buffering, or of headers that takes them out",
        "# it passes them on; no 'http-request del-header Upgrade', no 'option httpclose'",
    ),
    "headers": (
        "# no 'proxy_set_header NAME', no 'proxy_hide_header NAME', no 'proxy_pass_request_headers off'",
        "# no 'header_up -NAME', no 'header_down -NAME'",
        "# no 'RequestHeader unset NAME', no 'Header unset NAME'",
        "# no middleware of type headers with customRequestHeaders: {NAME: ''}",
        "# no 'http-request del-header NAME', no 'http-response del-header NAME'",
    ),
    "open": (
        "# no 'deny', 'limit_except' or 'auth_basic' where these addresses are:\n"
        "location ~ ^/(ws|socket\\.io|events|health)/ { auth_basic off; allow all; proxy_pass http://site; }",
        "# no 'respond', 'basic_auth' or matcher that takes /ws/, /socket.io/, /events/ or /health/ out",
        '<LocationMatch "^/(ws|socket.io|events|health)/">\n    Require all granted\n</LocationMatch>',
        "# no middleware of type basicAuth, ipAllowList or forwardAuth on the router of these addresses",
        "# no 'http-request deny' or 'http-request auth' for /ws/, /socket.io/, /events/ and /health/",
    ),
    "body": (
        "client_max_body_size 2m;",
        "request_body { max_size 2MB }    # or none",
        "LimitRequestBody 2097152",
        "# no middleware buffering with maxRequestBodyBytes below 2097152; it keeps streams back, too",
        "# no 'http-request deny if { req.body_size gt ... }' below 2 MB",
    ),
    "large headers": (
        "large_client_header_buffers 4 16k;",
        "servers { max_header_size 16KB }    # in the global options",
        "LimitRequestFieldSize 16380",
        "# 1 MB by default: the limit is behind it",
        "tune.bufsize 32768    # in global",
    ),
    "stream": (
        "proxy_buffering off;\ngzip_types text/css application/javascript;    # without text/event-stream\n"
        "# no 'proxy_ignore_headers X-Accel-Buffering;'",
        "reverse_proxy 127.0.0.1:8000 {\n    flush_interval -1\n}\n"
        "# 'encode' with a matcher without /events/",
        "ProxyPass / http://127.0.0.1:8000/ upgrade=websocket flushpackets=on\n"
        'SetEnvIf Request_URI "^/events/" no-gzip',
        "# no middleware of type buffering\ncompress: {excludedContentTypes: [text/event-stream]}",
        "# no 'option http-buffer-response'; 'compression type' without text/event-stream",
    ),
    "cache": (
        "proxy_cache off;    # or no 'proxy_ignore_headers Cache-Control Expires;'",
        "# no cache for /events/ and /socket.io/",
        "CacheDisable /events/\nCacheDisable /socket.io/",
        "# no cache plugin on the router of /events/ and /socket.io/",
        "# no 'http-request cache-use' for /events/ and /socket.io/",
    ),
    "time": (
        "proxy_read_timeout 75s;\nproxy_send_timeout 75s;",
        "servers { timeouts { idle 5m } }    # and no 'transport http { read_timeout ... }' below 75s",
        "ProxyTimeout 75\nProxyWebsocketIdleTimeout 75",
        "entryPoints: {web: {transport: {respondingTimeouts: {writeTimeout: 0}}}}\n"
        "# no serversTransport with forwardingTimeouts: {responseHeaderTimeout: ...} below 75s",
        "timeout client 75s\ntimeout server 75s\ntimeout tunnel 1h",
    ),
    "many": (
        "worker_connections 4096;    # and no 'limit_conn', 'limit_req' for /events/, /ws/ and /socket.io/",
        "# no rate_limit for /events/, /ws/ and /socket.io/",
        "MaxRequestWorkers 1024    # and the event MPM",
        "# no middleware of type inFlightReq or rateLimit below a dozen",
        "maxconn 10000    # in global, in the frontend, and of each 'server'",
    ),
    "http2": (
        "listen 443 ssl;\nhttp2 on;    # before 1.25.1: listen 443 ssl http2;",
        "# offered by default",
        "Protocols h2 http/1.1",
        "# offered by default",
        "bind :443 ssl crt site.pem alpn h2,http/1.1",
    ),
    "script": (
        "location /static/ { alias /srv/site/static/; }    # STATIC_ROOT; and 'include mime.types;'",
        "handle_path /static/* {\n    root * /srv/site/static\n    file_server\n}",
        "ProxyPass /static/ !\nAlias /static/ /srv/site/static/",
        "# files are served by another server, or by the site with whitenoise",
        "# files are served by another server, or by the site with whitenoise",
    ),
}

# A fault's lines.
FOR = {
    **dict.fromkeys(("nobody-behind", "other-site"), "pass"),
    **dict.fromkeys(("host-lost", "host-refused", "origin-refused"), "host"),
    "scheme-lost": "scheme",
    "address-lost": "address",
    **dict.fromkeys(("no-upgrade", "http-1.0", "websocket-broken"), "upgrade"),
    **dict.fromkeys(
        ("cookie-lost", "set-cookie-lost", "authorization-lost", "last-event-id-lost"), "headers"
    ),
    "origin-lost": "headers",
    **dict.fromkeys(
        ("password", "forbidden", "websocket-refused", "polling-refused", "post-refused"), "open"
    ),
    "stream-refused": "open",
    "body-too-small": "body",
    "headers-too-small": "large headers",
    **dict.fromkeys(("stream-buffered", "stream-compressed", "websocket-silent"), "stream"),
    "polling-cached": "cache",
    **dict.fromkeys(("idle-cut", "poll-cut"), "time"),
    "too-few-connections": "many",
    **dict.fromkeys(("no-http2", "only-http2"), "http2"),
    **dict.fromkeys(("script-missing", "script-type"), "script"),
}

SETTINGS = {
    "host-refused": 'ALLOWED_HOSTS = ["{host}"]',
    "scheme-lost": 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")',
    "origin-refused": 'REALTIME_WALL = {{"ALLOWED_ORIGINS": ["{origin}"]}}',
    "proxy-not-trusted": 'REALTIME_WALL = {{"TRUSTED_PROXIES": ["127.0.0.1", "THE PROXY\'S ADDRESS"]}}',
    "secure-cookie": "SESSION_COOKIE_SECURE = False    # or TLS in front, which is better",
    "no-live-addresses": 'urlpatterns += [path("", include("realtime_wall.urls"))]',
    "other-server": "# start it with: python manage.py rungevent",
    "servers-apart": 'REALTIME_WALL = {{"BROKER": "redis://..."}}    # one machine: the same RUNTIME_DIR',
    "closed": 'REALTIME_WALL = {{"CHANNELS": {{"doctor.*": {{"READ": "token", "WRITE": "token"}}}}}}',
}


def lines_for(fault: str, proxy: str) -> list[str]:
    text = LINES[FOR[fault]][PROXIES.index(proxy)] if fault in FOR else ""
    return text.splitlines()


def settings_for(fault: str, host: str, origin: str) -> str:
    return SETTINGS.get(fault, "").format(host=host, origin=origin)


def proxy_of(server: str) -> str | None:
    """By the header Server, where the proxy writes it."""
    return next((proxy for proxy in PROXIES if proxy in server.lower()), None)
