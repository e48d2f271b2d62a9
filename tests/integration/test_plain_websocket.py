"""The plain WebSocket over real connections: what only a network, a kernel and a clock can show."""

import json
import signal
import socket as sockets
import struct
from time import monotonic

import gevent
import pytest
from websockets.exceptions import ConnectionClosed

from tests.fakes import masked, text
from tests.live import PATIENCE, LiveServer, wait_for
from tests.site_tables import with_tables

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
# Strict, so that its limits are reached soon, and impatient, so that nobody has to wait for its deadlines.
STRICT = {
    **{"CLOSE_TIMEOUT": 1, "MESSAGE_SIZE": 20_000, "OUTBOX_SIZE": 64 * 1024, "SEND_BUFFER": 16 * 1024},
    **{"INBOX_SIZE": 8, "SLOW_RECEIVER": 0.3, "FRAME_RATE": 0, "EVENT_RATE": 0},
}
IMPATIENT = {
    **{"PING_INTERVAL": 1, "PING_TIMEOUT": 1},
    **{"FRAME_RATE": 1000, "FRAME_BURST": 500, "RATE_PATIENCE": 0.2},
}


def handshake(server, query=""):
    lines = [
        f"GET /ws/{query} HTTP/1.1",
        f"Host: {server.host}",
        *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class RawClient:
    """A WebSocket that does by itself nothing that its protocol asks for: no pong, no goodbye, no reading."""

    def __init__(self, server, query="", receive_buffer=None, early=b""):
        self.connection = sockets.socket()
        if receive_buffer:
            self.connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
        self.connection.settimeout(PATIENCE)
        self.connection.connect(("127.0.0.1", server.port))
        self.connection.sendall(handshake(server, query) + early)
        self.stream = self.connection.makefile("rb")
        assert b" 101 " in self.stream.readline()
        while self.stream.readline() != b"\r\n":
            pass
        self.session = json.loads(self.frame()[1])["message"]["session"]

    def send(self, data):
        self.connection.sendall(data)

    def frame(self):
        """(opcode, payload); None at the end."""
        head = self.stream.read(2)
        if len(head) < 2:
            return None
        size = head[1]
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(self.stream.read(width), "big")
        return head[0] & 0x0F, self.stream.read(size)

    def answer(self):
        """The next text frame, decoded."""
        return next(json.loads(data) for opcode, data in iter(self.frame, None) if opcode == TEXT)

    def frames(self):
        """Everything until the end."""
        return list(iter(self.frame, None))

    def close_code(self):
        return next(
            (int.from_bytes(data[:2], "big") for opcode, data in self.frames() if opcode == CLOSE), None
        )

    def reset(self):
        """Be gone, as when the network fails: with a RST and no goodbye."""
        self.connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.stream.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.fixture(scope="module")
def server():
    # What has to be prompt would wait for this in vain.
    with with_tables(LiveServer(settings={"CLOSE_TIMEOUT": 120})) as one:
        yield one


@pytest.fixture(scope="module")
def strict():
    with LiveServer(settings=STRICT) as one:
        yield one


@pytest.fixture(scope="module")
def impatient():
    with LiveServer(settings=IMPATIENT) as one:
        yield one


@pytest.fixture
def client(server):
    with server.client() as one:
        yield one


ENDED = ["connected", "disconnected", "finished"]


def life(client, session, expected=ENDED):
    """What became of another client, once that is told."""
    wait_for(
        lambda: client.ask("life", session) == expected, f"{expected}; got {client.ask('life', session)}"
    )
    return True


# The protocol


def test_events_messages_and_channels(client):
    assert client.ask("add", [1, 2, 3]) == 6
    client.tell("plain text")
    assert client.read() == {"type": "message", "message": "plain text"}
    client.tell({"type": "message", "message": {"a": 1}})
    assert client.read()["message"] == "{'a': 1}"
    assert client.subscribe("room")["type"] == "subscribed"
    assert client.subscribe("private room")["code"] == "refused"


@pytest.mark.threat("S47")
@pytest.mark.parametrize(
    "nonsense",
    ['{"type": "add", "message": NaN}', '{"a":' * 33 + "1" + "}" * 33, '{"type": "disconnect"}'],
    ids=["NaN", "too deep", "reserved"],
)
def test_bad_input_is_answered_by_an_error_and_hurts_nobody(client, nonsense):
    client.tell(nonsense)

    assert client.read()["type"] == "error"
    assert client.ask("add", [1]) == 1


@pytest.mark.threat("S41")
def test_a_connection_has_64_channels_at_most(client):
    for number in range(64):
        assert client.subscribe(f"room {number}")["type"] == "subscribed"

    assert client.subscribe("one too many")["code"] == "too_many_channels"


def test_a_failing_receiver_is_told_as_a_failed_answer_and_to_on_error(server, client):
    assert client.ask("fail", "of one receiver") == {"error": "failed"}

    assert "error of one receiver" in client.ask("seen")
    assert server.output.count("site_app.events.fail failed on socket_client_event_by_type['fail']") == 1


def test_a_refused_client_is_told_why_and_what_it_sent_is_not_heard(server, client):
    with RawClient(server, "?refuse=full", early=text("hello") + text({"type": "add", "id": 1})) as refused:
        assert refused.frame() == (CLOSE, struct.pack("!H", 3500) + b'{"why":"full"}')
    assert life(client, refused.session, ["disconnected", "finished"])


# Breaking the protocol


@pytest.mark.threat("S06")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (masked(BINARY, b"bytes"), 1003),
        (b"\x81\x02hi", 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (masked(3), 1002),
        (masked(CONTINUATION, b"x"), 1002),
        (masked(PING, b"x" * 126), 1002),
        (masked(PING, fin=False), 1002),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(CLOSE, struct.pack("!H", 1005)), 1002),
        (masked(TEXT, b"\xc3\x28"), 1007),
        (masked(TEXT, b"x" * (1024 * 1024 + 1)), 1009),
        (masked(TEXT, fin=False) + masked(CONTINUATION, fin=False) * 64, 1009),
    ],
    ids=[
        *("binary", "unmasked", "reserved bits", "reserved opcode", "continuation of nothing", "long ping"),
        *("fragmented ping", "short close", "close code", "no UTF-8", "too big", "too many fragments"),
    ],
)
def test_who_breaks_the_protocol_is_told_how_and_others_go_on(server, client, data, code):
    with RawClient(server) as bad:
        bad.send(data)
        opcode, payload = bad.frame()
        assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, code)
        bad.send(masked(CLOSE, payload[:2]))

        assert bad.frame() is None  # the server hangs up at once, and leaves nobody waiting

    assert life(client, bad.session)
    assert client.ask("add", [1]) == 1


# Pings


@pytest.mark.threat("S10")
def test_each_ping_is_answered_with_its_data_and_in_order(server):
    with RawClient(server) as client:
        client.send(masked(PING, b"data"))
        assert client.frame() == (PONG, b"data")

        client.send(b"".join(masked(PING, b"%d" % number) for number in range(1000)))
        assert [client.frame() for _ in range(1000)] == [(PONG, b"%d" % number) for number in range(1000)]


@pytest.mark.threat("S10", "S63")
def test_who_floods_is_closed_and_others_are_served(impatient):
    with RawClient(impatient) as stranger, impatient.client() as other:
        stranger.send(masked(PONG, b"") * 20_000)

        assert stranger.close_code() == 1008
        assert other.ask("add", [1, 2]) == 3


def test_a_silent_client_is_pinged_and_cut(impatient):
    with RawClient(impatient) as silent:
        assert silent.frame() == (PING, b"")
        assert silent.frame() is None

    with impatient.client() as other:
        assert life(other, silent.session)


def test_a_client_that_answers_its_pings_stays(impatient):
    with RawClient(impatient) as client:
        for _ in range(2):  # who does not answer is cut in that time
            assert client.frame() == (PING, b"")
            client.send(masked(PONG))
        client.send(text({"type": "add", "message": [1, 2], "id": 1}))

        assert client.answer()["message"] == 3


# The end


def test_a_client_that_closes_is_answered(server, client):
    with RawClient(server) as other:
        other.send(masked(CLOSE, struct.pack("!H", 4000) + b"bye"))

        assert other.frames() == [(CLOSE, struct.pack("!H", 4000))]
    assert life(client, other.session)


def test_a_client_that_the_server_closes_answers(server, client):
    with server.client() as other:
        client.ask("kick", [other.session, 4001, "enough"])
        with pytest.raises(ConnectionClosed) as closed:
            other.read()

    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "enough")
    assert life(client, other.session)


def test_a_client_that_never_answers_the_servers_goodbye_is_cut(strict):
    with RawClient(strict) as silent:
        with strict.client() as other:
            other.ask("kick", [silent.session, 4001, "enough"])
        assert silent.close_code() == 4001  # and then the end

    with strict.client() as other:
        assert life(other, silent.session)


@pytest.mark.parametrize("end", [RawClient.reset, RawClient.close], ids=["reset", "no goodbye"])
def test_a_client_that_just_goes_is_told_of_once(server, client, end):
    other = RawClient(server)
    end(other)

    assert life(client, other.session)


@pytest.mark.threat("S68")
def test_a_client_that_resets_right_after_its_handshake_leaves_nothing_behind(server, client):
    for _ in range(20):
        with server.raw() as raw:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
            raw.sendall(handshake(server))

    wait_for(lambda: json.loads(server.get("/health/").body)["sockets"] == 1, "the others to be forgotten")


def test_a_stopping_server_tells_everybody_and_lets_the_receivers_finish():
    with LiveServer(settings={"DRAIN_TIMEOUT": 1, "CLOSE_TIMEOUT": 30}) as server:
        with server.client() as polite, RawClient(server) as silent:
            polite.ask("linger", 0.5)
            stopping = gevent.spawn(server.stop, signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                polite.read()
            assert closed.value.rcvd.code == 1012
            assert silent.close_code() == 1012
            assert stopping.get(timeout=PATIENCE) == 0

        for client in (polite, silent):
            assert server.output.count(f"finished {client.session} 1\n") == 1
        assert "Traceback" not in server.output


# Sizes


def test_a_message_that_is_too_big_is_refused_in_both_directions(strict):
    with strict.client() as client, strict.client() as other:
        other.subscribe("room")
        answer = client.ask("publish", {"channel": "room", "data": "é", "times": 10_000})
        assert (
            answer == "MessageTooBig: the message has 20,002 bytes as JSON, the limit MESSAGE_SIZE is 20,000"
        )

        client.tell("x" * 20_001)
        with pytest.raises(ConnectionClosed) as closed:
            client.read()
        assert closed.value.rcvd.code == 1009

        assert other.ask("publish", {"channel": "room", "data": "fits"})
        assert "fits" in str(other.read())


# Slow clients


def test_a_reader_that_stops_is_cut_and_twenty_others_hear_everything_in_order(strict):
    others = [strict.client() for _ in range(20)]
    publisher = strict.client()
    with RawClient(strict, receive_buffer=4096) as slow:
        for client in others:
            assert client.subscribe("flood")["type"] == "subscribed"
        slow.send(text({"type": "subscribe", "channel": "flood"}))
        assert json.loads(slow.frame()[1])["type"] == "subscribed"

        heard, positions = [[] for _ in others], []
        for number in range(100):
            asked = {"channel": "flood", "data": f"{number} {'x' * 5000}"}
            positions.append(publisher.ask("publish", asked))
            # At once: of these none is slow, however little this process gets to run.
            for client, messages in zip(others, heard, strict=True):
                messages.append(client.read())

        for messages in heard:
            assert [one["message"].split()[0] for one in messages] == [str(number) for number in range(100)]
            assert [one["cursor"] for one in messages] == positions
        # The slow one was cut off, in a way that makes it come back: no close frame tells it otherwise.
        assert life(publisher, slow.session)
    for client in (*others, publisher):
        client.close()


def test_a_client_that_floods_while_its_receiver_waits_is_not_read_until_that_is_done(strict):
    frame = text({"type": "count", "message": "x" * 1000})
    flood = frame * 100
    with strict.client() as other, RawClient(strict) as flooding:
        flooding.send(text({"type": "enter", "id": 1}))
        flooding.connection.setblocking(False)
        sent, quiet_since = 0, monotonic()
        # What the two kernels take is a few megabytes; after that nothing moves any more.
        while monotonic() - quiet_since < 0.5:
            assert sent < 64 * 1024 * 1024, "the server reads on and on"
            try:
                sent += flooding.connection.send(flood[sent % len(frame) :])
                quiet_since = monotonic()
            except BlockingIOError:
                gevent.sleep(0.01)
        assert other.ask("add", [1, 2]) == 3

        flooding.connection.settimeout(PATIENCE)
        rest = frame[sent % len(frame) :] if sent % len(frame) else b""
        gevent.spawn(flooding.send, rest + text({"type": "count", "id": 2}))
        other.ask("open")
        answers = [flooding.answer(), flooding.answer()]

    assert [(one["type"], one["id"]) for one in answers] == [("ack", 1), ("ack", 2)]
    assert answers[1]["message"] == -(-sent // len(frame)) + 1


# Receivers


def test_events_of_one_client_are_in_order_and_of_several_at_once(server):
    clients = [server.client() for _ in range(10)]
    start = monotonic()
    for client in clients:
        for number, seconds in enumerate((0.3, 0, 0.1)):
            client.tell({"type": "wait", "message": seconds, "id": number})
    answers = [[client.read()["id"] for _ in range(3)] for client in clients]
    took = monotonic() - start

    assert answers == [[0, 1, 2]] * 10
    assert took < 10 * 0.4
    for client in clients:
        client.close()


def test_a_slow_receiver_and_a_blocked_loop_are_named_in_the_log(strict):
    with strict.client() as client:
        client.ask("wait", 0.5)
        strict.wait_for_log(r"site_app\.events\.wait took \d\.\d s on socket_client_event_by_type\['wait'\]")
        assert ", in wait" not in strict.output  # who waits blocks nobody

        client.ask("block", 1.0)
        strict.wait_for_log(r"the event loop is blocked:\n(?:.*\n)*?.*events\.py\", line \d+, in block")


def test_receivers_give_their_database_connections_back_and_are_in_no_transaction(server):
    clients = [server.client() for _ in range(5)]
    for _ in range(6):
        for client in clients:
            client.tell({"type": "users", "id": 1})
    for client in clients:
        assert [client.read()["message"] for _ in range(6)] == [0] * 6

    assert clients[0].ask("databases") == 0
    assert clients[0].ask("atomic") is False
    for client in clients:
        client.close()
