"""Sound sites behind other proxies, and what somebody has got wrong: (proxy, name to be found, change)."""

HAPROXY = """
global
    maxconn 512
defaults
    mode http
    timeout connect 5s
    timeout client 75s
    timeout server 75s
    timeout tunnel 1h
frontend web
    bind 127.0.0.1:{port}
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    default_backend site
backend site
    #here
    server site1 127.0.0.1:{upstream}
"""
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
http://localhost:{port} {{
    bind 127.0.0.1
    #here
    reverse_proxy 127.0.0.1:{upstream} {{
        #inside
        flush_interval -1
    }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error.log
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule filter_module {modules}/mod_filter.so
LoadModule deflate_module {modules}/mod_deflate.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule proxy_wstunnel_module {modules}/mod_proxy_wstunnel.so
ProxyTimeout 75
ProxyPreserveHost On
RequestHeader set X-Forwarded-Proto http
ProxyPass / http://127.0.0.1:{upstream}/ upgrade=websocket flushpackets=on
#here
"""
# Its own settings, and, in a file beside them, those of what it serves.
TRAEFIK = """
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
entryPoints:
  web:
    address: "127.0.0.1:{port}"
    #entry
providers:
  file: {{filename: "{folder}/dynamic.yml"}}
#dynamic
http:
  routers:
    site:
      rule: PathPrefix(`/`)
      service: site
      #router
  services:
    site:
      loadBalancer:
        servers: [{{url: "http://127.0.0.1:{upstream}"}}]
        #service
"""
CONFIGURATIONS = {"haproxy": HAPROXY, "caddy": CADDY, "apache2": APACHE, "traefik": TRAEFIK}


def middleware(settings):
    """A change of Traefik's: a middleware for everything."""
    return "#router", f"middlewares: [m]\n  middlewares:\n    m: {settings}"


def closed(path):
    """One address is for nobody."""
    router = f"closed: {{{{rule: PathPrefix(`{path}`), service: site, middlewares: [m]}}}}"
    return (
        "#router",
        f"#\n    {router}\n  middlewares:\n    m: {{{{ipAllowList: {{{{sourceRange: [192.0.2.1]}}}}}}}}",
    )


MISTAKES = [
    ("haproxy", "host-lost", ("#here", "http-request set-header Host example.org")),
    ("haproxy", "scheme-lost", ("Forwarded-Proto http", "Forwarded-Proto https")),
    ("haproxy", "no-upgrade", ("#here", "http-request del-header Upgrade")),
    ("haproxy", "cookie-lost", ("#here", "http-request del-header Cookie")),
    ("haproxy", "set-cookie-lost", ("#here", "http-response del-header Set-Cookie")),
    ("haproxy", "post-refused", ("#here", "http-request deny if METH_POST")),
    ("haproxy", "websocket-refused", ("#here", "http-request deny if {{ path_beg /ws/ }}")),
    ("haproxy", "headers-too-small", ("maxconn 512", "tune.bufsize 4096\n    tune.maxrewrite 512")),
    ("haproxy", "idle-cut", ("tunnel 1h", "tunnel 1s")),
    ("haproxy", "nobody-behind", (":{upstream}", ":1")),
    ("caddy", "host-lost", ("#inside", "header_up Host example.org")),
    ("caddy", "scheme-lost", ("#inside", "header_up X-Forwarded-Proto https")),
    ("caddy", "address-lost", ("#inside", "header_up -X-Forwarded-For")),
    ("caddy", "cookie-lost", ("#inside", "header_up -Cookie")),
    ("caddy", "set-cookie-lost", ("#inside", "header_down -Set-Cookie")),
    ("caddy", "origin-lost", ("#inside", "header_up -Origin")),
    ("caddy", "body-too-small", ("#here", "request_body {{\n        max_size 16KB\n    }}")),
    ("caddy", "websocket-refused", ("#here", "respond /ws/ 403")),
    ("caddy", "stream-refused", ("#here", "respond /events/ev/* 403")),
    ("caddy", "nobody-behind", (":{upstream}", ":1")),
    ("apache2", "host-lost", ("ProxyPreserveHost On", "")),
    ("apache2", "scheme-lost", ("Forwarded-Proto http", "Forwarded-Proto https")),
    ("apache2", "no-upgrade", (" upgrade=websocket", "")),
    ("apache2", "cookie-lost", ("#here", "RequestHeader unset Cookie")),
    ("apache2", "set-cookie-lost", ("#here", "Header unset Set-Cookie")),
    ("apache2", "forbidden", ("#here", "<Location />\nRequire all denied\n</Location>")),
    ("apache2", "headers-too-small", ("#here", "LimitRequestFieldSize 4000")),
    ("apache2", "websocket-refused", ("#here", "<Location /ws/>\nRequire all denied\n</Location>")),
    ("apache2", "stream-compressed", ("#here", "SetOutputFilter DEFLATE")),
    ("apache2", "nobody-behind", (":{upstream}", ":1")),
    ("traefik", "host-lost", ("#service", "passHostHeader: false")),
    (
        "traefik",
        "scheme-lost",
        middleware("{{headers: {{customRequestHeaders: {{X-Forwarded-Proto: https}}}}}}"),
    ),
    ("traefik", "origin-lost", middleware("{{headers: {{customRequestHeaders: {{Origin: ''}}}}}}")),
    ("traefik", "cookie-lost", middleware("{{headers: {{customRequestHeaders: {{Cookie: ''}}}}}}")),
    ("traefik", "set-cookie-lost", middleware("{{headers: {{customResponseHeaders: {{Set-Cookie: ''}}}}}}")),
    ("traefik", "stream-buffered", middleware("{{buffering: {{memRequestBodyBytes: 1000000}}}}")),
    ("traefik", "stream-compressed", middleware("{{compress: {{}}}}")),
    ("traefik", "websocket-refused", closed("/ws/")),
    ("traefik", "stream-refused", closed("/events/ev/")),
    ("traefik", "password", middleware("{{basicAuth: {{users: ['a:$apr1$x$y']}}}}")),
    ("traefik", "too-few-connections", middleware("{{inFlightReq: {{amount: 6}}}}")),
    (
        "traefik",
        "poll-cut",
        (
            "#service",
            "serversTransport: t\n  serversTransports:\n"
            "    t: {{forwardingTimeouts: {{responseHeaderTimeout: 1s}}}}",
        ),
    ),
    ("traefik", "nobody-behind", (":{upstream}", ":1")),
]
