"""Do the official parsers, from npm, and ours read the same out of the same messages?

Where they do not, the difference is deliberate: it is in one of the tables, with the reason, and it
is always ours that refuses.
"""

import json
import re
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.engineio import MAX_PACKETS, BadPacket, decode_payload
from realtime_wall.protocol.socketio import Decoder
from tests.workers import npm_install

pytestmark = pytest.mark.node

HERE = Path(__file__).parent / "npm"

PLACE = '{"_placeholder":true,"num":0}'
# What JavaScript takes for the number 0 when it asks whether a character is a digit.
BLANK = "[\\s\ufeff]"


class Difference(NamedTuple):
    """What we refuse and the official parser lets pass.

    Where it refuses most of that too, ``only`` is a pattern of the text that it lets pass.
    """

    reason: str
    why: str
    shown: list[list[str | bytes]]
    only: str = ".*"

    def explains(self, reason, messages):
        texts = [message for message in messages if isinstance(message, str)]
        return re.fullmatch(self.reason, reason) and any(
            re.fullmatch(self.only, text, re.DOTALL) for text in texts
        )


SOCKETIO_DIFFERENCES = [
    Difference(
        "unknown Socket.IO packet type",
        "nothing, and space, are the number 0 to it, and so CONNECT",
        [[""], [" "], ["\n/chat,"]],
        only=f"({BLANK}.*)?",
    ),
    Difference(
        "(EVENT|ACK|CONNECT_ERROR) with no data",
        "the specification asks for data; without it an event has no name",
        [["2"], ["2/chat,"], ["3"], ["31"], ["4"], ["51-", b"x"], ["61-", b"x"]],
    ),
    Difference(
        "(CONNECT|DISCONNECT|EVENT|ACK|CONNECT_ERROR) with the wrong data",
        "space before the data is part of the id to it",
        [['2 ["a"]'], ['21 ["a"]'], ["0\n{}"], ["1 "], ["3/a,\t[]"], ['4 "no"']],
        only=f".*{BLANK}.*",
    ),
    Difference(
        "number with more than 15 digits",
        "it rounds them, and answers another id than it was asked",
        [
            ['29007199254740993["a"]'],
            ['2000000000000000001["a"]'],
            [f'50000000000000001-["a",{PLACE}]', b"x"],
        ],
    ),
    Difference(
        "attachments and packet type do not go together",
        "it takes any spelling of a number for their count",
        [[f'5 1-["a",{PLACE}]', b"x"], [f'51.0-["a",{PLACE}]', b"x"], [f'51e0-["a",{PLACE}]', b"x"]],
        only="[56](?![0-9]+-).+-.*",
    ),
    Difference(
        "placeholders and attachments do not match",
        "an attachment in many places multiplies what is sent on; one in none was sent for nothing; "
        "a place that is no whole number becomes undefined; and we look before the attachments come",
        [
            [f'51-["a",{PLACE},{PLACE}]', b"x"],
            ['51-["a"]', b"x"],
            ['51-["a",{"_placeholder":true,"num":0.5}]', b"x"],
            ['51-["a",{"_placeholder":true,"num":0.0}]', b"x"],
            ['51-["a",{"_placeholder":true,"num":1}]'],
        ],
    ),
    Difference(
        "bad JSON: (number too large|number with too many digits)",
        "it reads infinity, which cannot be written again",
        [['2["a",1e999]'], ['2["a",' + "9" * 5000 + "]"]],
    ),
    Difference(
        "bad JSON: half of a surrogate pair",
        "there is no UTF-8 for it",
        [['2["a","\\ud800"]']],
    ),
    Difference(
        "bad JSON: nested too deeply",
        "a limit of ours",
        [['2["a",' + "[" * 40 + "]" * 40 + "]"]],
    ),
    Difference(
        "namespace with characters that cannot be printed",
        "names are shown in logs, and one with a record separator would break a polling body",
        [["0/a\x1e"], ["0/a\n,"], ["0/\ud800"]],
    ),
    Difference(
        "namespace longer than 128 characters",
        "a limit of ours",
        [["0/" + "x" * 128]],
    ),
]
ENGINEIO_DIFFERENCES = [
    Difference(
        "binary data is not in base64",
        "it drops what is no base64, and takes the alphabet of URLs too",
        [["bA"], ["bAQI"], ["bAQ-_"], ["b€"]],
    ),
    Difference(
        f"more than {MAX_PACKETS} packets in one request",
        "a limit of ours",
        [["\x1e".join(["4"] * (MAX_PACKETS + 1))]],
    ),
]


class NpmParsers:
    def __init__(self, process):
        self._process = process

    def read(self, parser, messages):
        """The packets that messages are, and whether one was refused after them."""
        written = [plain(message) for message in messages]
        self._process.stdin.write(json.dumps({"parser": parser, "messages": written}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["packets"], answer["refused"]


@pytest.fixture(scope="module")
def npm():
    install = npm_install(HERE)
    if install.returncode:
        pytest.skip(f"npm could not install the official parsers: {install.stderr[-500:]}")
    with subprocess.Popen(
        ["node", "parse.js"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield NpmParsers(process)
        process.stdin.close()


def plain(value):
    """A value as it looks after a trip through JSON, and numbers as JavaScript has them."""
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return {"$number": "Infinity" if value > 0 else "-Infinity"}
    return value


def ours_of_socketio(messages):
    decoder = Decoder()
    packets = []
    try:
        for message in messages:
            receive = decoder.receive_text if isinstance(message, str) else decoder.receive_binary
            packet = receive(message)
            if packet is not None:
                packets.append(packet)
    except BadPacket as problem:
        return list(map(as_npm_has_it, packets)), problem.reason
    return list(map(as_npm_has_it, packets)), None


def as_npm_has_it(packet):
    """What is undefined in JavaScript is missing in its JSON; no data of ours is null in a packet."""
    fields = {"type": int(packet.type), "nsp": packet.namespace, "id": packet.id, "data": packet.data}
    return plain({key: value for key, value in fields.items() if value is not None})


def without_query(packets):
    """The one difference in what is accepted: a namespace has no query to us."""
    return [plain(packet) | {"nsp": packet["nsp"].partition("?")[0]} for packet in packets]


def ours_of_engineio(body):
    try:
        packets = decode_payload(body)
    except BadPacket as problem:
        return [], problem.reason
    return [{"type": packet.type.name.lower(), "data": plain(packet.data)} for packet in packets], None


def engineio_packets(packets):
    return [{"data": "", **packet} for packet in packets]


def is_deliberate(reason, messages, differences):
    return any(difference.explains(reason, messages) for difference in differences)


def examples(differences):
    return [(difference, messages) for difference in differences for messages in difference.shown]


# The tables


@pytest.mark.parametrize(("difference", "messages"), examples(SOCKETIO_DIFFERENCES))
def test_what_the_official_socketio_parser_lets_pass_we_refuse(npm, difference, messages):
    assert difference.explains(ours_of_socketio(messages)[1], messages)
    assert npm.read("socketio", messages)[1] is False


@pytest.mark.parametrize(("difference", "messages"), examples(ENGINEIO_DIFFERENCES))
def test_what_the_official_engineio_parser_lets_pass_we_refuse(npm, difference, messages):
    assert difference.explains(ours_of_engineio(*messages)[1], messages)
    assert npm.read("engineio", messages)[1] is False


def test_a_namespace_has_a_query_only_to_the_official_parser(npm):
    packets, _ = npm.read("socketio", ["0/chat?token=1,"])

    assert [packet["nsp"] for packet in packets] == ["/chat?token=1"]
    assert [packet["nsp"] for packet in ours_of_socketio(["0/chat?token=1,"])[0]] == ["/chat"]


# The same inputs

atoms = (
    st.sampled_from([PLACE, '"_placeholder"', "null", "true", "false", '""', '"connect"', "NaN", "1e999"])
    | st.sampled_from(["0", "-0", "1.5", "1e3", "12345678901234567890", "9" * 400])
    | st.text(max_size=6).map(json.dumps)
)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(st.sampled_from(["a", "num", "__proto__", "toJSON"]), inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f'"{key}":{item}' for key, item in pairs) + "}"
        )
    ),
    max_leaves=6,
)
harmless = st.sampled_from(["1", "-0", "0.5e1", '"é"', "[]", '{"a":[null]}', '{"__proto__":{"a":"b"}}'])
namespaces_and_ids = st.sampled_from(["", "/,", "/chat,", "/a?b=c,", "/é,", "//,7", "7", "/chat,007"])
junk = st.text(st.sampled_from('0123456b-+.,/?[]{}":ex \n\x1e\x00\ufeff\u2003é\ud800'), max_size=8)


@st.composite
def packets(draw):
    """The messages of one packet in order; both parsers take it."""
    count = draw(st.integers(0, 3))
    items = [f'{{"_placeholder":true,"num":{num}}}' for num in range(count)] + draw(
        st.lists(harmless, max_size=2)
    )
    items = [
        draw(st.sampled_from([item, f"[{item}]", f'{{"a":{item}}}'])) for item in draw(st.permutations(items))
    ]
    type = draw(st.sampled_from(["5", "6"] if count else ["2", "3"]))
    head = type + (f"{count}-" if count else "") + draw(namespaces_and_ids)
    return [
        f"{head}[{','.join(['7', *items])}]",
        *draw(st.lists(st.binary(max_size=4), min_size=count, max_size=count)),
    ]


heads = st.tuples(
    st.sampled_from("0123456"),
    st.sampled_from(["", "", "1-", "01-", "0-", "11-", "-", "1.0-"]),
    namespaces_and_ids | st.sampled_from(["/chat", "/\x1e,", "9" * 15, "9" * 16, "-1", "1.5", " "]),
).map("".join)
doubtful = st.tuples(heads, values | st.just("") | values.map('["name",{}]'.format)).map("".join)


@st.composite
def conversations(draw):
    """Some packets one after another, and mostly something wrong with them somewhere."""
    messages = sum(draw(st.lists(packets(), max_size=3)), [])
    at = draw(st.integers(0, len(messages)))
    what = draw(st.sampled_from(["nothing", "another", "missing", "changed"]))
    if what == "another":
        messages.insert(at, draw(doubtful | junk | st.binary(max_size=4)))
    elif what == "missing":
        del messages[at : at + 1]
    elif what == "changed" and at < len(messages) and isinstance(messages[at], str):
        text = messages[at]
        cut = draw(st.integers(0, len(text)))
        messages[at] = text[:cut] + draw(junk) + text[cut + draw(st.integers(0, 3)) :]
    return messages


@given(conversations())
def test_both_socketio_parsers_read_the_same(npm, messages):
    ours, reason = ours_of_socketio(messages)
    theirs, refused = npm.read("socketio", messages)
    theirs = without_query(theirs)

    if reason and is_deliberate(reason, messages, SOCKETIO_DIFFERENCES):
        assert ours == theirs[: len(ours)]
    else:
        assert (ours, reason is not None) == (theirs, refused), reason


bodies = st.lists(
    st.sampled_from(["4", "2", "6", "0{}", "bAQI=", "bAQ==", "b", "bA", "", "7", "x", "4é", "4\ufeff"])
    | junk,
    max_size=20,
).map("\x1e".join)


@given(bodies)
def test_both_engineio_parsers_read_the_same(npm, body):
    ours, reason = ours_of_engineio(body)
    theirs, refused = npm.read("engineio", [body])

    if reason and is_deliberate(reason, [body], ENGINEIO_DIFFERENCES):
        return
    assert (ours, reason is not None) == ([] if refused else engineio_packets(theirs), refused), reason
