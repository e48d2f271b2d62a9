"""The cases of two public suites for HTTP/1.1 servers, by their names there, as bytes of ours.

h1spec's 33, and Http11Probe's: what each is about is in its name, what is right in RFC 9112 and 9110; where
they leave it to the server, what we do is here. ``IDLE`` is a request that is not whole: it is waited for and
answered 408. Conditional requests, and what cookies mean, are the application's, and are not here.
"""

from tests.server.heads import get, host, post

IDLE = 408
CHUNKED = b"Transfer-Encoding: chunked"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
HANDSHAKE = (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13")
LARGE = b"a" * 100_000


def line(text, *headers):
    return get(*headers, line=text)


def chunks(body, *headers):
    return get(CHUNKED, *headers, line=b"POST /raw/ HTTP/1.1") + body


def with_length(length, body=b"hello", *headers, method=b"POST"):
    return line(method + b" /echo/ HTTP/1.1", b"Content-Length: " + length, *headers) + body


def coded(coding, body=b"hello"):
    return post(b"Transfer-Encoding:" + coding, b"Content-Length: 5") + body


def upgrade(first=b"GET /ws/ HTTP/1.1", *headers):
    return line(first, *(headers or (b"Connection: Upgrade", b"Upgrade: websocket", *HANDSHAKE)))


START = get()[:-2]  # but for the empty line

# The parts of a head, each cut where another one begins, are waited for.
H1SPEC = {
    "Fragmented method": (IDLE, b"G"),
    "Fragmented URL 1": (IDLE, b"GET "),
    "Fragmented URL 2": (IDLE, b"GET /hello"),
    "Fragmented URL 3": (IDLE, b"GET /hello "),
    "Fragmented HTTP version": (IDLE, b"GET /hello HTTP"),
    "Fragmented request line": (IDLE, b"GET /hello HTTP/1.1"),
    "Fragmented request line newline 1": (IDLE, b"GET /hello HTTP/1.1\r"),
    "Fragmented request line newline 2": (IDLE, b"GET /hello HTTP/1.1\r\n"),
    "Fragmented field name": (IDLE, b"GET /hello HTTP/1.1\r\nHos"),
    "Fragmented field value 1": (IDLE, b"GET /hello HTTP/1.1\r\nHost:"),
    "Fragmented field value 2": (IDLE, b"GET /hello HTTP/1.1\r\nHost: "),
    "Fragmented field value 3": (IDLE, b"GET /hello HTTP/1.1\r\nHost: localhost"),
    "Fragmented field value 4": (IDLE, b"GET /hello HTTP/1.1\r\nHost: localhost\r"),
    "Fragmented request": (IDLE, b"GET /hello HTTP/1.1\r\nHost: localhost\r\n"),
    "Fragmented request termination": (IDLE, b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r"),
    "Request without HTTP version": (400, b"GET /hello/ \r\n\r\n"),
    "Request with Expect header": (200, get(b"Expect: 100-continue")),
    "Valid GET request": (200, get()),
    "Valid GET request with edge cases": (200, b"GET /hello/ HTTP/1.1\r\nhoSt:\tlocalhost\r\nempty:\r\n\r\n"),
    "Invalid header characters": (400, get(b"X-Invalid[]: test")),
    "Missing Host header": (400, b"GET /hello/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
    "Multiple Host headers": (400, get(b"Host: example.org")),
    "Overflowing negative Content-Length header": (400, with_length(b"-123456789123456789123456789", b"")),
    "Negative Content-Length header": (400, with_length(b"-1234", b"")),
    "Non-numeric Content-Length header": (400, with_length(b"abc", b"")),
    "Empty header value": (200, get(b"X-Empty-Header: ")),
    "Header containing invalid control character": (400, get(b"X-Bad-Control-Char: test\x07")),
    "Invalid HTTP version": (505, line(b"GET /hello/ HTTP/9.9")),
    "Invalid prefix of request": (400, line(b"Extra lineGET /hello/ HTTP/1.1")),
    "Invalid line ending": (400, START + b"\r\rSome-Header: Test\r\n\r\n"),
    "Valid POST request with body": (200, with_length(b"5")),
    "Chunked Transfer-Encoding": (200, chunks(b"c\r\nHellO world1\r\n0\r\n\r\n")),
    "Conflicting Transfer-Encoding and Content-Length in varying case": (
        400,
        post(b"content-LengtH: 5", b"TransFer-Encoding: chunked") + b"c\r\nHellO world1\r\n0\r\n\r\n",
    ),
}

COMPLIANCE = {
    "COMP-BASELINE": (200, get()),
    "RFC9112-2.2-BARE-LF-REQUEST-LINE": (400, b"GET /hello/ HTTP/1.1\nHost: localhost\r\n\r\n"),
    "RFC9112-2.2-BARE-LF-HEADER": (400, b"GET /hello/ HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n"),
    "RFC9112-5.1-OBS-FOLD": (400, get(b"A: b\r\n c")),
    "RFC9110-5.6.2-SP-BEFORE-COLON": (400, get(b"A : b")),
    "RFC9112-3-MULTI-SP-REQUEST-LINE": (400, line(b"GET  /hello/ HTTP/1.1")),
    "RFC9112-7.1-MISSING-HOST": (400, b"GET /hello/ HTTP/1.1\r\n\r\n"),
    "RFC9112-2.3-INVALID-VERSION": (505, line(b"GET /hello/ HTTP/9.9")),
    "RFC9112-5-EMPTY-HEADER-NAME": (400, get(b": b")),
    "RFC9112-3-CR-ONLY-LINE-ENDING": (400, b"GET /hello/ HTTP/1.1\rHost: localhost\r\n\r\n"),
    "RFC9112-3-MISSING-TARGET": (400, line(b"GET HTTP/1.1")),
    "RFC9112-3.2-FRAGMENT-IN-TARGET": (400, line(b"GET /hello/#a HTTP/1.1")),
    "RFC9112-2.3-HTTP09-REQUEST": (IDLE, b"GET /\r\n"),
    "RFC9112-5-INVALID-HEADER-NAME": (400, get(b"A[B: c")),
    "RFC9112-5-HEADER-NO-COLON": (400, get(b"nothing")),
    "RFC9110-5.4-DUPLICATE-HOST": (400, get(b"Host: other.example")),
    "RFC9112-6.1-CL-NON-NUMERIC": (400, with_length(b"abc", b"")),
    "RFC9112-6.1-CL-PLUS-SIGN": (400, with_length(b"+5")),
    "COMP-WHITESPACE-BEFORE-HEADERS": (400, b"GET /hello/ HTTP/1.1\r\n \r\nHost: localhost\r\n\r\n"),
    "COMP-DUPLICATE-HOST-SAME": (400, get(b"Host: localhost")),
    "COMP-HOST-WITH-USERINFO": (400, host(b"me@localhost")),
    "COMP-HOST-WITH-PATH": (400, host(b"localhost/path")),
    "COMP-ASTERISK-WITH-GET": (400, line(b"GET * HTTP/1.1")),
    "COMP-OPTIONS-STAR": (404, line(b"OPTIONS * HTTP/1.1")),
    "COMP-UNKNOWN-TE-501": (400, post(b"Transfer-Encoding: gzip")),  # chunked is not last: RFC 9112 6.3
    "COMP-LEADING-CRLF": (400, b"\r\n\r\n" + get()),  # one is forgiven
    "COMP-ABSOLUTE-FORM": (200, line(b"GET http://localhost/hello/ HTTP/1.1")),
    "COMP-METHOD-CASE": (200, line(b"get /hello/ HTTP/1.1")),  # another method: the view's to refuse
    "COMP-POST-CL-BODY": (200, with_length(b"5")),
    "COMP-POST-CL-ZERO": (200, with_length(b"0", b"")),
    "COMP-POST-NO-CL-NO-TE": (200, post()),
    "COMP-POST-CL-UNDERSEND": (400, with_length(b"10")),
    "COMP-CHUNKED-BODY": (200, chunks(HELLO)),
    "COMP-CHUNKED-MULTI": (200, chunks(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")),
    "COMP-CHUNKED-EMPTY": (200, chunks(b"0\r\n\r\n")),
    "COMP-CHUNKED-NO-FINAL": (400, chunks(b"5\r\nhello\r\n")),
    "COMP-UPGRADE-POST": (403, upgrade(b"POST /ws/ HTTP/1.1")),
    "COMP-UPGRADE-MISSING-CONN": (426, upgrade(b"GET /ws/ HTTP/1.1", b"Upgrade: websocket", *HANDSHAKE)),
    "COMP-UPGRADE-UNKNOWN": (200, get(b"Connection: Upgrade", b"Upgrade: totally-made-up/1.0")),
    "COMP-METHOD-CONNECT": (400, line(b"CONNECT example.com:443 HTTP/1.1")),
    "COMP-EXPECT-UNKNOWN": (200, get(b"Expect: 200-ok")),
    "COMP-GET-WITH-CL-BODY": (200, with_length(b"5", method=b"GET")),
    "COMP-CHUNKED-EXTENSION": (200, chunks(b"5;ext=value\r\nhello\r\n0\r\n\r\n")),
    "COMP-UPGRADE-INVALID-VER": (
        426,
        upgrade(
            b"GET /ws/ HTTP/1.1",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            HANDSHAKE[0],
            b"Sec-WebSocket-Version: 99",
        ),
    ),
    "COMP-METHOD-TRACE": (200, line(b"TRACE /hello/ HTTP/1.1")),
    "COMP-HOST-EMPTY-VALUE": (400, host(b"")),
    "COMP-REQUEST-LINE-TAB": (400, line(b"GET\t/hello/ HTTP/1.1")),
    "COMP-VERSION-MISSING-MINOR": (505, line(b"GET /hello/ HTTP/1")),
    "COMP-VERSION-LEADING-ZEROS": (505, line(b"GET /hello/ HTTP/01.01")),
    "COMP-VERSION-WHITESPACE": (400, line(b"GET /hello/ HTTP/ 1.1")),
    "COMP-CONNECTION-CLOSE": (200, get(b"Connection: close")),
    "COMP-HTTP10-DEFAULT-CLOSE": (200, line(b"GET /hello/ HTTP/1.0")),
    "COMP-HTTP10-NO-HOST": (200, b"GET /hello/ HTTP/1.0\r\n\r\n"),
    "COMP-HTTP12-VERSION": (505, line(b"GET /hello/ HTTP/1.2")),
    "COMP-TRACE-WITH-BODY": (200, with_length(b"5", method=b"TRACE")),
    "COMP-CHUNKED-TRAILER-VALID": (200, chunks(b"5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n")),
    "COMP-CHUNKED-HEX-UPPERCASE": (200, chunks(b"A\r\nhelloworld\r\n0\r\n\r\n")),
    "COMP-RANGE-POST": (200, with_length(b"5", b"hello", b"Range: bytes=0-10")),
    "COMP-UPGRADE-HTTP10": (400, upgrade(b"GET /ws/ HTTP/1.0")),
    "COMP-HEAD-NO-BODY": (200, line(b"HEAD /hello/ HTTP/1.1")),
    "COMP-UNKNOWN-METHOD": (403, line(b"FOOBAR /hello/ HTTP/1.1")),  # Django wants a token of it
    "COMP-405-ALLOW": (405, line(b"PUT /events/ev/a HTTP/1.1")),
    "COMP-DATE-HEADER": (200, get()),
    "COMP-DATE-FORMAT": (200, get()),
    "COMP-NO-1XX-HTTP10": (
        200,
        line(b"POST /echo/ HTTP/1.0", b"Expect: 100-continue", b"Content-Length: 5") + b"hello",
    ),
    "COMP-NO-CL-IN-204": (200, line(b"OPTIONS /hello/ HTTP/1.1")),
    "COMP-OPTIONS-ALLOW": (200, line(b"OPTIONS /hello/ HTTP/1.1")),
    "COMP-CONTENT-TYPE": (200, get()),
    "COMP-VERSION-CASE": (400, line(b"GET /hello/ http/1.1")),
    "COMP-LONG-URL-OK": (404, line(b"GET /" + b"a" * 7900 + b" HTTP/1.1")),
    "COMP-SPACE-IN-TARGET": (400, line(b"GET /hel lo HTTP/1.1")),
    "COMP-DUPLICATE-CT": (200, with_length(b"5", b"hello", b"Content-Type: a/b", b"Content-Type: c/d")),
    "COMP-TRACE-SENSITIVE": (200, line(b"TRACE /hello/ HTTP/1.1", b"Authorization: Bearer a-secret")),
    "COMP-RANGE-INVALID": (200, get(b"Range: bytes=abc-xyz")),
    "COMP-ACCEPT-NONSENSE": (200, get(b"Accept: application/x-nonsense")),
    "COMP-POST-UNSUPPORTED-CT": (200, with_length(b"5", b"hello", b"Content-Type: application/x-nonsense")),
}

SMUGGLED = get()  # behind a body: it must never be answered as a request of its own
AFTER = b"0\r\n\r\n" + SMUGGLED


def both(coding=b" chunked", length=b"%d", body=AFTER):
    """A length and a coding."""
    length = length % len(body) if b"%" in length else length
    return post(b"Content-Length: " + length, b"Transfer-Encoding:" + coding) + body


SMUGGLING = {
    "SMUG-CL-TE-BOTH": (400, both(body=b"D\r\nhello-bananas\r\n0\r\n\r\n")),
    "SMUG-DUPLICATE-CL": (400, post(b"Content-Length: 5", b"Content-Length: 10") + b"helloworld"),
    "SMUG-CL-LEADING-ZEROS": (200, with_length(b"005")),
    "SMUG-TE-XCHUNKED": (400, coded(b" xchunked")),
    "SMUG-TE-TRAILING-SPACE": (400, coded(b" chunked ")),
    "SMUG-TE-SP-BEFORE-COLON": (400, post(b"Transfer-Encoding : chunked", b"Content-Length: 5") + b"hello"),
    "SMUG-CL-NEGATIVE": (400, with_length(b"-1", b"")),
    "SMUG-CLTE-PIPELINE": (400, both(length=b"4", body=b"0\r\n\r\n")),
    "SMUG-TECL-PIPELINE": (400, post(CHUNKED, b"Content-Length: 30") + b"0\r\n\r\n"),
    "SMUG-CL-TRAILING-SPACE": (200, with_length(b"5 ")),
    "SMUG-TE-DOUBLE-CHUNKED": (400, coded(b" chunked, chunked")),
    "SMUG-CL-EXTRA-LEADING-SP": (200, with_length(b"  5")),
    "SMUG-TE-CASE-MISMATCH": (400, coded(b" Chunked")),
    "SMUG-CL-COMMA-DIFFERENT": (400, with_length(b"5, 10")),
    "SMUG-TE-NOT-FINAL-CHUNKED": (400, post(b"Transfer-Encoding: chunked, gzip") + b"0\r\n\r\n"),
    "SMUG-TE-HTTP10": (400, line(b"POST /echo/ HTTP/1.0", CHUNKED, b"Content-Length: 5") + b"hello"),
    "SMUG-CHUNK-BARE-SEMICOLON": (400, chunks(b"5;\r\nhello\r\n0\r\n\r\n")),
    "SMUG-CHUNK-EXT-INVALID-TOKEN": (400, chunks(b"5;bad[=x\r\nhello\r\n0\r\n\r\n")),
    "SMUG-BARE-CR-HEADER-VALUE": (400, with_length(b"5", b"hello", b"X-Test: val\rue")),
    "SMUG-CL-OCTAL": (400, with_length(b"0o5")),
    "SMUG-CHUNK-UNDERSCORE": (400, chunks(b"1_0\r\nhello world!!!!!\r\n0\r\n\r\n")),
    "SMUG-TE-EMPTY-VALUE": (400, coded(b" ")),
    "SMUG-TE-LEADING-COMMA": (400, coded(b" , chunked")),
    "SMUG-TE-DUPLICATE-HEADERS": (400, coded(b" chunked\r\nTransfer-Encoding: identity")),
    "SMUG-CHUNK-HEX-PREFIX": (400, chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    "SMUG-CHUNK-SIZE-PLUS": (400, chunks(b"+5\r\nhello\r\n0\r\n\r\n")),
    "SMUG-CHUNK-SIZE-TRAILING-OWS": (400, chunks(b"5 \r\nhello\r\n0\r\n\r\n")),
    "SMUG-CL-HEX-PREFIX": (400, with_length(b"0x5")),
    "SMUG-CL-INTERNAL-SPACE": (400, with_length(b"1 0", b"hello12345")),
    "SMUG-CHUNK-LEADING-SP": (400, chunks(b" 5\r\nhello\r\n0\r\n\r\n")),
    "SMUG-CHUNK-MISSING-TRAILING-CRLF": (400, chunks(b"5\r\nhello0\r\n\r\n")),
    "SMUG-CHUNK-EXT-LF": (400, chunks(b"5;\nhello\r\n0\r\n\r\n")),
    "SMUG-CHUNK-SPILL": (400, chunks(b"5\r\nhello!!\r\n0\r\n\r\n")),
    "SMUG-CHUNK-LF-TERM": (400, chunks(b"5\r\nhello\n0\r\n\r\n")),
    "SMUG-CHUNK-EXT-CTRL": (400, chunks(b"5;\0ext\r\nhello\r\n0\r\n\r\n")),
    "SMUG-CHUNK-EXT-CR": (400, chunks(b"5;a\rX\r\nhello\r\n0\r\n\r\n")),
    "SMUG-TE-VTAB": (400, coded(b" \x0bchunked")),
    "SMUG-TE-FORMFEED": (400, coded(b" \x0cchunked")),
    "SMUG-TE-NULL": (400, coded(b" chunked\0")),
    "SMUG-CHUNK-LF-TRAILER": (400, chunks(b"5\r\nhello\r\n0\r\n\n")),
    "SMUG-TE-IDENTITY": (400, coded(b" identity")),
    "SMUG-CHUNK-NEGATIVE": (400, chunks(b"-1\r\nhello\r\n0\r\n\r\n")),
    "SMUG-TRANSFER_ENCODING": (200, with_length(b"5", b"hello", b"Transfer_Encoding: chunked")),
    "SMUG-CL-COMMA-SAME": (400, with_length(b"5, 5")),
    "SMUG-CL-COMMA-TRIPLE": (400, with_length(b"5, 5, 5")),
    "SMUG-CHUNKED-WITH-PARAMS": (400, coded(b" chunked;ext=val")),
    "SMUG-EXPECT-100-CL": (100, with_length(b"5", b"hello", b"Expect: 100-continue")),
    "SMUG-TRAILER-CL": (400, chunks(b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n")),
    "SMUG-TRAILER-TE": (400, chunks(b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    "SMUG-TRAILER-HOST": (400, chunks(b"5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n")),
    "SMUG-TRAILER-AUTH": (400, chunks(b"5\r\nhello\r\n0\r\nAuthorization: Bearer evil\r\n\r\n")),
    "SMUG-TRAILER-CONTENT-TYPE": (400, chunks(b"5\r\nhello\r\n0\r\nContent-Type: text/evil\r\n\r\n")),
    "SMUG-HEAD-CL-BODY": (400, with_length(b"5", method=b"HEAD")),
    "SMUG-OPTIONS-CL-BODY": (200, with_length(b"5", method=b"OPTIONS")),
    "SMUG-CL-UNDERSCORE": (400, with_length(b"1_0", b"helloworld")),
    "SMUG-CL-NEGATIVE-ZERO": (400, with_length(b"-0", b"")),
    "SMUG-CL-DOUBLE-ZERO": (200, with_length(b"00", b"")),
    "SMUG-CL-LEADING-ZEROS-OCTAL": (200, with_length(b"0200", b"A" * 200)),
    "SMUG-TE-OBS-FOLD": (400, coded(b"\r\n chunked")),
    "SMUG-TE-TRAILING-COMMA": (400, coded(b" chunked,")),
    "SMUG-TE-TAB-BEFORE-VALUE": (400, coded(b"\tchunked")),
    "SMUG-ABSOLUTE-URI-HOST-MISMATCH": (
        200,
        line(b"GET http://other.example/hello/ HTTP/1.1"),
    ),  # its host counts
    "SMUG-MULTIPLE-HOST-COMMA": (400, host(b"localhost, other.example")),
    "SMUG-CHUNK-BARE-CR-TERM": (400, chunks(b"5\rhello\r\n0\r\n\r\n")),
    "SMUG-CLTE-CONN-CLOSE": (400, both(length=b"5", body=b"0\r\n\r\n")),
    "SMUG-TECL-CONN-CLOSE": (400, post(CHUNKED, b"Content-Length: 5") + b"0\r\n\r\n"),
    "SMUG-CLTE-DESYNC": (400, both(length=b"6", body=b"0\r\n\r\nX")),
    "SMUG-CLTE-SMUGGLED-GET": (400, both()),
    "SMUG-CLTE-SMUGGLED-GET-CL-PLUS": (400, both(length=b"+%d")),
    "SMUG-CLTE-SMUGGLED-GET-CL-NON-NUMERIC": (400, both(length=b"%dx")),
    "SMUG-CLTE-SMUGGLED-GET-TE-OBS-FOLD": (400, both(b"\r\n chunked")),
    "SMUG-CLTE-SMUGGLED-HEAD": (400, both(body=b"0\r\n\r\n" + line(b"HEAD /hello/ HTTP/1.1"))),
    "SMUG-CLTE-SMUGGLED-GET-TE-TRAILING-SPACE": (400, both(b" chunked ")),
    "SMUG-CLTE-SMUGGLED-GET-TE-LEADING-COMMA": (400, both(b" , chunked")),
    "SMUG-CLTE-SMUGGLED-GET-TE-CASE-MISMATCH": (400, both(b" Chunked")),
    "SMUG-TE-DUPLICATE-HEADERS-SMUGGLED-GET": (400, both(b" chunked\r\nTransfer-Encoding: identity")),
    "SMUG-TECL-SMUGGLED-GET": (
        400,
        post(CHUNKED, b"Content-Length: 4") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
    ),
    "SMUG-DUPLICATE-CL-SMUGGLED-GET": (
        400,
        post(b"Content-Length: 4", b"Content-Length: 99") + b"PING" + SMUGGLED,
    ),
    "SMUG-GET-CL-PREFIX-DESYNC": (200, with_length(b"%d" % len(START), START, method=b"GET")),
    "SMUG-TECL-DESYNC": (400, post(CHUNKED, b"Content-Length: 30") + b"0\r\n\r\nX"),
    "SMUG-CL0-BODY-POISON": (200, with_length(b"0", b"")),  # what is behind it is a request, and refused
    "SMUG-GET-CL-BODY-DESYNC": (200, with_length(b"5", method=b"GET")),
    "SMUG-OPTIONS-CL-BODY-DESYNC": (200, with_length(b"5", method=b"OPTIONS")),
    "SMUG-EXPECT-100-CL-DESYNC": (100, with_length(b"5", b"hello", b"Expect: 100-continue")),
    "SMUG-OPTIONS-TE-OBS-FOLD": (
        400,
        line(b"OPTIONS /echo/ HTTP/1.1", b"Transfer-Encoding:\r\n chunked", b"Content-Length: 5") + b"hello",
    ),
    "SMUG-CHUNK-INVALID-SIZE-DESYNC": (400, chunks(b"+0\r\n\r\nX")),
    "SMUG-PIPELINE-SAFE": (200, get()),
}

MALFORMED = {
    "MAL-BINARY-GARBAGE": (400, bytes(range(128, 256)) * 2 + b"\r\n\r\n"),
    "MAL-LONG-URL": (414, line(b"GET /" + LARGE + b" HTTP/1.1")),
    "MAL-LONG-HEADER-VALUE": (431, get(b"A: " + LARGE)),
    "MAL-MANY-HEADERS": (431, get(*[b"X-H: value"] * 10_000)),
    "MAL-NUL-IN-URL": (400, line(b"GET /\0test HTTP/1.1")),
    "MAL-CONTROL-CHARS-HEADER": (400, get(b"X-Test: abc\x07\x08\x0bdef")),
    "MAL-INCOMPLETE-REQUEST": (IDLE, START + b"X-Test: value"),
    "MAL-EMPTY-REQUEST": (None, b""),  # closed without a word
    "MAL-LONG-HEADER-NAME": (431, get(LARGE + b": a")),
    "MAL-LONG-METHOD": (414, line(LARGE + b" /hello/ HTTP/1.1")),
    "MAL-NON-ASCII-HEADER-NAME": (400, get("X-T\u00ebst: a".encode())),
    "MAL-NON-ASCII-URL": (400, line("GET /caf\u00e9 HTTP/1.1".encode())),
    "MAL-CL-OVERFLOW": (400, with_length(b"99999999999999999999", b"")),
    "MAL-WHITESPACE-ONLY-LINE": (400, b"   \r\n\r\n"),
    "MAL-NUL-IN-HEADER-VALUE": (400, get(b"A: val\0ue")),
    "MAL-CHUNK-SIZE-OVERFLOW": (400, chunks(b"FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n")),
    "MAL-H2-PREFACE": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "MAL-CL-EMPTY": (400, with_length(b"", b"")),
    "MAL-CL-TAB-BEFORE-VALUE": (200, with_length(b"\t5")),
    "MAL-URL-BACKSLASH": (404, line(b"GET /path\\file HTTP/1.1")),
    "MAL-URL-OVERLONG-UTF8": (400, line(b"GET /\xc0\xaf HTTP/1.1")),
    "MAL-URL-PERCENT-NULL": (404, line(b"GET /path%00.html HTTP/1.1")),
    "MAL-URL-PERCENT-CRLF": (404, line(b"GET /path%0d%0aX-Injected:%20true HTTP/1.1")),
    "MAL-CHUNK-EXT-64K": (400, chunks(b"5;ext=" + b"a" * 65_536 + b"\r\nhello\r\n0\r\n\r\n")),
    "MAL-RANGE-OVERLAPPING": (200, get(b"Range: bytes=" + b"0-," * 1000 + b"0-")),
    "MAL-POST-CL-HUGE-NO-BODY": (400, with_length(b"999999999", b"")),
    "NORM-UNDERSCORE-CL": (200, with_length(b"5", b"hello", b"Content_Length: 99")),
    "NORM-SP-BEFORE-COLON-CL": (400, with_length(b"5", b"hello", b"Content-Length : 5")),
    "NORM-TAB-IN-NAME": (400, with_length(b"5", b"hello", b"Content\tLength: 99")),
    "NORM-CASE-TE": (400, with_length(b"5", b"hello", b"TRANSFER-ENCODING: chunked")),
    "NORM-UNDERSCORE-TE": (200, with_length(b"5", b"hello", b"Transfer_Encoding: chunked")),
    "COOK-OVERSIZED": (431, get(b"Cookie: big=" + b"A" * 65_536)),
    "COOK-EMPTY": (200, get(b"Cookie: ")),
    "COOK-NUL": (400, get(b"Cookie: foo=\0bar")),
    "COOK-CONTROL-CHARS": (400, get(b"Cookie: foo=\x01\x02\x03")),
    "COOK-MALFORMED": (200, get(b"Cookie: ===;;;")),
    "COOK-MULTI-HEADER": (200, get(b"Cookie: a=1", b"Cookie: b=2")),
}
HTTP11PROBE = COMPLIANCE | SMUGGLING | MALFORMED
