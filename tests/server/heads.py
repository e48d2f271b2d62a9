"""Request heads as strangers send them, and what each deserves: one table for two kinds of tests.

A row is a name, the bytes, and the status that refuses them. The rows S14, S16 and S26 to S30 of the
threat list are all here.
"""

HOST = b"Host: localhost\r\n"
LONG = b"a" * 8192


def get(*headers, line=b"GET /hello/ HTTP/1.1"):
    return line + b"\r\n" + HOST + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def host(value, version=b"1.1"):
    return b"GET /hello/ HTTP/%s\r\nHost: %s\r\n\r\n" % (version, value)


def post(*headers):
    return get(*headers, line=b"POST /echo/ HTTP/1.1")


BAD = [
    # Where does the body end?
    ("two lengths", 400, post(b"Content-Length: 1", b"Content-Length: 2") + b"ab"),
    ("the same length twice", 400, post(b"Content-Length: 1", b"Content-Length: 1") + b"a"),
    ("two lengths in one header", 400, post(b"Content-Length: 1, 1") + b"a"),
    ("a length with a sign", 400, post(b"Content-Length: +1") + b"a"),
    ("a negative length", 400, post(b"Content-Length: -1")),
    ("a length with an underscore", 400, post(b"Content-Length: 1_0") + b"0123456789"),
    ("a hexadecimal length", 400, post(b"Content-Length: 0x1") + b"a"),
    ("an empty length", 400, post(b"Content-Length:")),
    ("a length that is no number", 400, post(b"Content-Length: one")),
    ("a length with a fraction", 400, post(b"Content-Length: 1.0") + b"a"),
    ("a length with a space inside", 400, post(b"Content-Length: 1 0") + b"0123456789"),
    ("a length in Arabic digits", 400, post("Content-Length: \u0661".encode()) + b"a"),
    ("a length in superscript digits", 400, post(b"Content-Length: \xb2") + b"ab"),
    ("a length of 5,000 digits", 400, post(b"Content-Length: " + b"9" * 5000)),
    ("a length of sixteen digits", 400, post(b"Content-Length: 1000000000000000")),
    ("a length and chunks", 400, post(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    ("chunks and a length", 400, post(b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n"),
    ("an unknown coding", 400, post(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n"),
    ("two codings", 400, post(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n"),
    ("chunked not last", 400, post(b"Transfer-Encoding: chunked, gzip") + b"0\r\n\r\n"),
    ("chunked twice", 400, post(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n"),
    ("two coding headers", 400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")),
    ("chunked and identity", 400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity")),
    ("the coding identity", 400, post(b"Transfer-Encoding: identity")),
    ("an empty coding", 400, post(b"Transfer-Encoding:") + b"0\r\n\r\n"),
    ("a quoted coding", 400, post(b'Transfer-Encoding: "chunked"') + b"0\r\n\r\n"),
    ("a coding with a parameter", 400, post(b"Transfer-Encoding: chunked;a=b") + b"0\r\n\r\n"),
    ("a coding behind a vertical tab", 400, post(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n"),
    ("a space before the coding's colon", 400, post(b"Transfer-Encoding : chunked") + b"0\r\n\r\n"),
    ("a coding on a folded line", 400, post(b"Transfer-Encoding:\r\n chunked") + b"0\r\n\r\n"),
    ("chunks under HTTP/1.0", 400, get(b"Transfer-Encoding: chunked", line=b"POST /echo/ HTTP/1.0")),
    (
        "a handshake with a length",
        400,
        get(b"Upgrade: websocket", b"Connection: Upgrade", b"Content-Length: 5") + b"hello",
    ),
    ("a handshake with chunks", 400, get(b"Upgrade: WebSocket", b"Transfer-Encoding: chunked")),
    # Where does a line end?
    ("bare LF after the request line", 400, b"GET /hello/ HTTP/1.1\nHost: localhost\r\n\r\n"),
    ("bare LF after a header", 400, b"GET /hello/ HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n"),
    ("bare LF at the end of the head", 400, b"GET /hello/ HTTP/1.1\r\nHost: localhost\r\n\n"),
    ("bare CR in a value", 400, get(b"A: b\rC: d")),
    ("bare CR in the request line", 400, get(line=b"GET /hello/\rX HTTP/1.1")),
    ("two CR", 400, get(b"A: b\r")),
    ("a folded line", 400, get(b"A: b\r\n c")),
    ("a folded line with a tab", 400, get(b"A: b\r\n\tc")),
    ("a first header that is folded", 400, b"GET /hello/ HTTP/1.1\r\n Host: localhost\r\n\r\n"),
    # Names and values
    ("a space before the colon", 400, get(b"A : b")),
    ("a tab before the colon", 400, get(b"A\t: b")),
    ("a header without a colon", 400, get(b"nothing")),
    ("a header without a name", 400, get(b": b")),
    ("a name with a space", 400, get(b"A B: c")),
    ("a name with brackets", 400, get(b"A(B): c")),
    ("a name with eight bits", 400, get(b"\xc3\x84: c")),
    ("NUL in a name", 400, get(b"A\0B: c")),
    ("NUL in a value", 400, get(b"A: b\0c")),
    ("NUL in the target", 400, get(line=b"GET /hel\0lo/ HTTP/1.1")),
    ("an escape in a value", 400, get(b"A: \x1b[31m")),
    ("DEL in a value", 400, get(b"A: \x7f")),
    ("8,000 spaces before a control character", 400, get(b"A:" + b" " * 8000 + b"\x01")),
    # Whose page?
    ("no Host", 400, b"GET /hello/ HTTP/1.1\r\n\r\n"),
    ("two Hosts", 400, get(b"Host: example.com")),
    ("the same Host twice", 400, get(b"Host: localhost")),
    ("a Host with a user", 400, host(b"user@localhost")),
    ("a Host with a path", 400, host(b"localhost/x")),
    ("a Host with a query", 400, host(b"localhost?x")),
    ("a Host with a fragment", 400, host(b"localhost#x")),
    ("a list of Hosts", 400, host(b"localhost,example.com")),
    ("a Host with a space", 400, host(b"localhost example.com")),
    ("a Host with a scheme", 400, host(b"http://localhost")),
    ("a Host with eight bits", 400, host(b"caf\xc3\xa9")),
    ("an empty Host", 400, host(b"")),
    ("an empty Host under HTTP/1.0", 400, host(b"", b"1.0")),
    ("a Host that is a port", 400, host(b":8000")),
    ("a Host with letters for a port", 400, host(b"localhost:http")),
    ("a Host with two ports", 400, host(b"localhost:80:80")),
    ("a Host with half a bracket", 400, host(b"[::1")),
    ("two Hosts under HTTP/1.0", 400, get(b"Host: example.com", line=b"GET /hello/ HTTP/1.0")),
    # Which protocol?
    ("HTTP/0.9", 400, b"GET /hello/\r\n\r\n"),
    ("HTTP/0.9 with its version", 505, get(line=b"GET /hello/ HTTP/0.9")),
    ("HTTP/1.2", 505, get(line=b"GET /hello/ HTTP/1.2")),
    ("HTTP/2", 505, get(line=b"GET /hello/ HTTP/2")),
    ("the preface of HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("HTTP/1.10", 505, get(line=b"GET /hello/ HTTP/1.10")),
    ("a version in lower case", 400, get(line=b"GET /hello/ http/1.1")),
    ("a version with a sign", 400, get(line=b"GET /hello/ HTTP/1.+1")),
    ("another protocol", 400, get(line=b"GET /hello/ RTSP/1.0")),
    ("the hello of TLS", 400, bytes.fromhex("16030100f8010000f40303") + b"\xaa" * 32 + b"\r\n\r\n"),
    ("SOCKS 5", 400, b"\x05\x01\x00\r\n\r\n"),
    # The request line
    ("two spaces", 400, get(line=b"GET  /hello/ HTTP/1.1")),
    ("a leading space", 400, get(line=b" GET /hello/ HTTP/1.1")),
    ("a trailing space", 400, get(line=b"GET /hello/ HTTP/1.1 ")),
    ("tabs for spaces", 400, get(line=b"GET\t/hello/\tHTTP/1.1")),
    ("a space in the target", 400, get(line=b"GET /hello /x HTTP/1.1")),
    ("no method", 400, get(line=b"/hello/ HTTP/1.1")),
    ("a method with brackets", 400, get(line=b"G(T /hello/ HTTP/1.1")),
    ("a method of 33 letters", 400, get(line=b"A" * 33 + b" /hello/ HTTP/1.1")),
    ("a target without a slash", 400, get(line=b"GET hello/ HTTP/1.1")),
    ("a proxy's target of another scheme", 400, get(line=b"GET ftp://localhost/hello/ HTTP/1.1")),
    ("a proxy's target without a host", 400, get(line=b"GET http:///hello/ HTTP/1.1")),
    ("a proxy's target with a user", 400, get(line=b"GET http://me@localhost/hello/ HTTP/1.1")),
    ("a proxy's target with a fragment", 400, get(line=b"GET http://localhost/hello/#a HTTP/1.1")),
    ("a proxy's target and no Host", 400, b"GET http://localhost/hello/ HTTP/1.1\r\n\r\n"),
    ("CONNECT", 400, get(line=b"CONNECT localhost:80 HTTP/1.1")),
    ("an asterisk for GET", 400, get(line=b"GET * HTTP/1.1")),
    ("a fragment", 400, get(line=b"GET /hello/#top HTTP/1.1")),
    ("a target with eight bits", 400, get(line=b"GET /caf\xc3\xa9/ HTTP/1.1")),
    ("an escape in the target", 400, get(line=b"GET /\x1b[31m/ HTTP/1.1")),
    # Too much
    ("100 headers", 431, get(*[b"A: b"] * 99)),
    ("2,000 headers", 431, get(*[b"A: b"] * 2000)),
    ("a long header", 431, get(b"A: " + LONG)),
    ("32 KiB of headers", 431, get(*[b"A: " + b"b" * 4000] * 9)),
    ("a Content-Type of semicolons", 431, post(b"Content-Type: a/b" + b";" * 1024, b"Content-Length: 0")),
    ("a small and a long Content-Type", 431, post(b"Content-Type: a/b", b"content-type: " + b"a" * 1025)),
    ("a long path that is no UTF-8", 400, get(line=b"GET /" + b"%FF" * 342 + b" HTTP/1.1")),
    ("a long path of percents", 400, get(line=b"GET /" + b"%" * 1024 + b" HTTP/1.1")),
    ("a long target", 414, get(line=b"GET /" + LONG + b" HTTP/1.1")),
    ("a request line of 8,192 bytes", 414, get(line=b"GET /" + b"a" * 8176 + b" HTTP/1.1")),
]

GOOD = [
    ("a plain request", get()),
    ("HTTP/1.0 without Host", b"GET /hello/ HTTP/1.0\r\n\r\n"),
    ("99 headers", get(*[b"A: b"] * 98)),
    ("a request line of 8,191 bytes", get(line=b"GET /hello/?" + b"a" * 8168 + b" HTTP/1.1")),
    ("a short path that is no UTF-8", get(line=b"GET /" + b"%FF" * 341 + b" HTTP/1.1")),
    ("a long path in UTF-8", get(line=b"GET /" + b"%C3%A9" * 341 + b" HTTP/1.1")),
    ("a long query that is no UTF-8", get(line=b"GET /hello/?" + b"%FF" * 342 + b"% HTTP/1.1")),
    ("a Content-Type of 1,024 bytes", get(b"Content-Type: a/" + b"b" * 1022)),
    ("no space behind the colon", get(b"A:b")),
    ("tabs around a value", get(b"A:\t b \t")),
    ("an empty value", get(b"A:")),
    ("eight bits in a value", get(b"A: caf\xc3\xa9")),
    ("a Host with a port", host(b"localhost:8000")),
    ("a Host with an empty port", host(b"localhost:")),
    ("a Host in brackets", host(b"[::1]:8000")),
    ("a Host in capitals", host(b"LOCALHOST")),
    ("a length of nothing", get(b"Content-Length: 0")),
    ("leading zeros in a length", post(b"Content-Length: 0001") + b"a"),
    ("chunks in capitals", post(b"Transfer-Encoding: CHUNKED") + b"0\r\n\r\n"),
    ("OPTIONS of the whole server", get(line=b"OPTIONS * HTTP/1.1")),
    ("a method nobody knows", get(line=b"BREW /hello/ HTTP/1.1")),
    ("a proxy's target", get(line=b"GET HTTP://localhost:80/hello/?a HTTP/1.1")),
    ("two slashes", get(line=b"GET //hello/ HTTP/1.1")),
    ("an offer of h2c", get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA")),
    ("a handshake with a length of nothing", get(b"Upgrade: websocket", b"Content-Length: 0")),
]
