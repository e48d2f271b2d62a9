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
CONFIGURATIONS = {"haproxy": HAPROXY, "caddy": CADDY, "apache2": APACHE}

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
]
