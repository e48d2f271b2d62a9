"""The longest parts that a stranger may put into a request head, in shapes that parsers like least.

Each is one piece over and over, as a pattern, a split or a loop takes longest for. For a test of what reads
heads here, and for ``make bench ARGS=stalls``, which asks a whole server.
"""

# Bytes of a shape: with the rest the head is as long as one that is read before there is a handler.
LENGTH = 7_600

SHAPES = {
    "spaces": " ",
    "tabs": "\t",
    "commas": ",",
    "spaced commas": " , ",
    "semicolons": ";",
    "quotes": '"',
    "quoted quotes": '\\"',
    "backslashes": "\\",
    "percents": "%",
    "escapes": "%2C",
    "escaped percents": "%25",
    "bytes in escapes": "%FF",
    "eight bits": "\xff",
    "equals": "=",
    "ampersands": "&",
    "pairs": "a=b&",
    "cookies": "a=b; ",
    "quoted cookies": 'a="\\073"; ',
    "session cookies": "sessionid=a; ",
    "items": "a, ",
    "weights": "a;q=0.1,",
    "parameters": ';a="b"',
    "offers": "permessage-deflate; a, ",
    "ranges": "0-,",
    "tags": 'W/"a", ',
    "digits": "9",
    "zeros": "0",
    "dots": ".",
    "dotted": "a.",
    "colons": ":",
    "hex and colons": "f:",
    "brackets": "[",
    "braces": "{",
    "slashes": "/",
    "wildcards": "a*",
    "dashes": "-",
    "plus": "+",
    "backtracks": ".b1",
    "versions": " HTTP/1.1",
    "schemes": "http://",
    "days": "Mon, 1 Jan 2000 ",
    "control": "\x01",
}
# A shape as it is; and where it does not begin and does not end, which is what patterns are retried for.
FRAMES = ("{}", "a{}!")

HEADERS = """
    Accept Accept-Encoding Accept-Language Authorization Cookie Connection Content-Length Content-Type
    Expect Forwarded Host Idempotency-Key If-Match If-Modified-Since If-None-Match Last-Event-ID Origin
    Range Referer Sec-Fetch-Site Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol
    Sec-WebSocket-Version Transfer-Encoding Upgrade User-Agent X-CSRFToken X-Forwarded-For
    X-Forwarded-Host X-Forwarded-Proto traceparent X-Nginx-PushStream-Mode
"""
ARGUMENTS = """
    a callback channel channels eventid id on session sid since tag ticket time token where
"""
PLACES = (*HEADERS.split(), *(f"?{name}" for name in ARGUMENTS.split()), "path", "many headers")


def shapes():
    """By name."""
    for name, shape in SHAPES.items():
        for frame in FRAMES:
            yield f"{frame.format(' ')} {name}".strip(), frame.format((shape * LENGTH)[:LENGTH])


def head(target, headers, place, value, body=b""):
    """One with the value in that place of it."""
    fields = {"Host": "127.0.0.1", **headers}
    if place == "path":
        address, mark, query = target.partition("?")
        target = f"{address}/{value}{mark}{query}"
    elif place.startswith("?"):
        target += f"{'&' if '?' in target else '?'}{place[1:]}={value}"
    elif place == "many headers":
        fields |= {f"X-{number}": value[number::80] for number in range(80)}
    else:
        fields[place] = value
    lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"{target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body
