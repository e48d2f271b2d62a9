"""What strangers throw at ``socket.io/``: each is answered, or cut off, and nobody else notices.

The sizes are small here and those of real attacks in ``make prove``.
"""

import itertools
import json
import os
import time

import pytest

from tests.fakes import masked
from tests.live import PATIENCE, LiveServer, wait_for

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
POLLING = "/socket.io/?EIO=4&transport=polling"
TEXT, BINARY = 1, 2


def size(proved, otherwise):
    return proved if PROVE else otherwise


@pytest.fixture(scope="module")
def server():
    with LiveServer(settings={"PING_INTERVAL": 3600, "CLOSE_TIMEOUT": 0.2, "FRAME_RATE": 0}) as server:
        yield server
        assert "Traceback" not in server.output


@pytest.fixture(autouse=True)
def unharmed(server):
    """The same process goes on, and a client that was there before is served afterwards."""
    process, witness = server.process.pid, Visitor(server)
    yield
    assert witness.ask('20["add",[1,2]]') == "430[3]"
    witness.close()
    assert server.process.poll() is None
    assert server.process.pid == process


class Visitor:
    """Socket.IO on a WebSocket, by hand."""

    def __init__(self, server):
        self.connection = server.raw(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {server.host}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        self.connection.settimeout(PATIENCE)
        self.heard = b""
        self.read_until(b'"sid"')
        self.say("0")
        self.read_until(b"40{")
        self.heard = b""

    def say(self, *packets):
        """Packets of Socket.IO; bytes are attachments."""
        frames = (
            masked(BINARY, one) if isinstance(one, bytes) else masked(TEXT, f"4{one}") for one in packets
        )
        self.connection.sendall(b"".join(frames))

    def read_until(self, wanted):
        while wanted not in self.heard:
            data = self.connection.recv(65536)
            assert data, f"closed in front of {wanted}"
            self.heard += data

    def ask(self, packet):
        """Its acknowledgement."""
        self.say(packet)
        self.read_until(b"430[")
        answer = self.heard[self.heard.index(b"430[") :]
        return answer[: answer.index(b"]") + 1].decode()

    def is_cut_off(self):
        try:
            while data := self.connection.recv(65536):
                self.heard += data
        except ConnectionError:
            pass
        self.connection.close()
        return True

    def close(self):
        self.connection.close()


def memory_of(server):
    """Kilobytes of its own."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def polling_session(server):
    return json.loads(server.get(POLLING).body[1:])["sid"]


# S17


WORDS = ["", "abc", "__proto__", "constructor", "toString", "null", "[]", "%00", "4%0d%0aX", "9" * 18]


def crash_requests(sid):
    """More than two hundred ways to ask for what is not there."""
    for eio, transport in itertools.product(["4", *WORDS], WORDS):
        yield f"?EIO={eio}&transport={transport}&sid={sid}"
    for eio in WORDS:
        yield f"?EIO={eio}&transport=polling"
        yield f"?EIO={eio}&transport=websocket&sid={sid}"
    for unknown in WORDS:
        yield f"?EIO=4&transport=polling&sid={unknown}"
        yield f"?EIO=4&transport=websocket&sid={unknown}"
        yield f"?EIO=4&transport=polling&sid={sid}&sid={unknown}"
        yield f"?EIO=4&EIO={unknown}&transport=polling&sid={sid}"
        yield f"?EIO=4&transport=polling&transport={unknown}&sid={sid}"
    for name in WORDS:
        yield f"?EIO[{name}]=4&transport=polling&sid={sid}"
        yield f"?{name}"


@pytest.mark.threat("S17")
def test_requests_that_make_no_sense_are_refused_and_harm_no_session(server):
    sid = polling_session(server)
    requests = list(crash_requests(sid))
    assert len(requests) >= 200

    for query in requests:
        reply = server.get(f"/socket.io/{query}")
        assert reply.status == 400, query
        assert set(json.loads(reply.body)) == {"code", "message"}, query

    assert post(server, sid, b"3").status == 200


# S18


@pytest.mark.threat("S18")
def test_ten_gigabytes_are_refused_before_they_come_and_at_once(server):
    took = []
    for _ in range(5):
        sid = polling_session(server)
        started = time.monotonic()
        assert post(server, sid, b"4", length=10 * 1024**3).status == 413
        took.append(time.monotonic() - started)

    assert min(took) < 0.1


# S19


@pytest.mark.threat("S19")
def test_a_body_of_separators_is_refused(server):
    for body in (b"\x1e" * 100_000, b"4x\x1e" * 30_000):
        sid = polling_session(server)

        assert post(server, sid, body).status == 400
        assert server.get(f"{POLLING}&sid={sid}").status == 400


# S20


def post(server, sid, body, content_type="text/plain", length=None):
    head = (
        f"POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\nConnection: close\r\n\r\n"
    )
    with server.talk(head.encode() + body) as conversation:
        return conversation.reply()


@pytest.mark.threat("S20")
def test_posts_of_another_content_type_leave_no_connection_open(server):
    sid = polling_session(server)
    before = open_files(server)

    for _ in range(size(5000, 200)):
        assert post(server, sid, b"\0", "application/octet-stream").status == 400

    # Some more than before are the server's own, which it opens when it first needs them.
    wait_for(lambda: open_files(server) < before + 20, "the connections to be closed")
    assert post(server, sid, b"3").status == 200


# S22 and S23: each ends its client, and only that


TOO_MANY = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(11))
PLACE = '{"_placeholder":true,"num":0}'


@pytest.mark.threat("S22", "S47")
@pytest.mark.parametrize(
    "packets",
    [
        ['5999999-["add"]'],
        [f'511-["add",{TOO_MANY}]'],
        ['51-["add"]'],
        ['50-["add",1]'],
        [f'52-["add",{PLACE}]', b"1", b"2"],
        [f'51-["add",{PLACE},{PLACE}]', b"1"],
        ['51-["add",{"_placeholder":true,"num":-1}]', b"1"],
        ['51-["add",{"_placeholder":true,"num":1}]', b"1"],
        ['51-["add",{"_placeholder":true,"num":"0"}]', b"1"],
        ['51-["add",{"_placeholder":true,"num":0.0}]', b"1"],
        ['51-["add",{"_placeholder":true,"num":"__proto__"}]', b"1"],
        [f'51-["add",{PLACE}]', '2["between"]'],
        [f'51-["add",{PLACE}]', f'51-["add",{PLACE}]'],
        [b"nobody announced it"],
        ["2[]"],
        ["2[null]"],
        ["2[true]"],
        ['2[{"toString":"foo"}]'],
        ["2[[1]]"],
        ['2["connect"]'],
        ['2["connect_error"]'],
        ['2["disconnect"]'],
        ['2["disconnecting"]'],
        ['2["newListener"]'],
        ['2["removeListener"]'],
        ["29999999999999999[1]"],
        ['2-1["add"]'],
        ['2["add"'],
        ["2" + "[" * 10_000],
        ["7"],
        ["3"],
        ['2/never,["add"]'],
    ],
    ids=lambda packets: ascii(packets[0])[:40],
)
def test_a_packet_that_is_none_ends_its_client_only(server, packets):
    stranger = Visitor(server)

    stranger.say(*packets)

    assert stranger.is_cut_off()


# S24


@pytest.mark.threat("S24")
def test_answers_that_nobody_asked_for_leave_nothing_behind(server):
    stranger, count = Visitor(server), size(100_000, 3000)
    batches = [[f"3{number}[]" for number in range(start, start + 1000)] for start in range(0, count, 1000)]
    stranger.say(*batches[0])
    assert stranger.ask('20["add",[1]]') == "430[1]"
    before = memory_of(server)

    for batch in batches:
        stranger.say(*batch, "3999999999999999[1]", "30[]", "30[]")

    stranger.heard = b""
    assert stranger.ask('20["add",[2]]') == "430[2]"
    assert memory_of(server) - before < 1024
    stranger.close()


# S25


@pytest.mark.threat("S25")
def test_namespaces_that_nobody_registered_leave_nothing_behind(server):
    stranger, count = Visitor(server), size(100_000, 3000)

    def knock(start):
        stranger.say(*(f"0/a{number}," for number in range(start, start + 1000)))
        stranger.heard = b""
        stranger.read_until(f"44/a{start + 999},".encode())
        assert stranger.heard.count(b"Invalid namespace") > 900

    knock(0)
    before = memory_of(server)
    for start in range(0, count, 1000):
        knock(start)

    assert memory_of(server) - before < 1024
    stranger.close()
