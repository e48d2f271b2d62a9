"""A request that comes to another server than its session's: two servers that share a runtime directory."""

import contextlib
import json
import signal
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_wall.brokers.node_id import owner_of
from realtime_wall.server.affinity.owner_routing import OwnerRouting
from tests.live import Conversation, LiveServer
from tests.server.heads import get
from tests.server.http.test_hand_over import SOUND, masked, read_frame

POLLING = "/socket.io/?EIO=4&transport=polling"
OURS, THEIRS = "aaaaaaaa", "bbbbbbbb"


def line(query, target="/socket.io/"):
    return f"GET {target}?{query} HTTP/1.1\r\n".encode()


@pytest.mark.parametrize(
    ("request_line", "owner"),
    [
        (line(f"EIO=4&transport=polling&sid={THEIRS}.x-Y_9"), THEIRS),
        (line(f"sid={THEIRS}.x&EIO=4"), THEIRS),
        (line(f"EIO=4&sid={THEIRS}.x&t=abc", "/elsewhere/"), THEIRS),
        (line(f"EIO=4&sid={OURS}.x"), None),
        (line("EIO=4&transport=polling"), None),
        (line(f"sid={THEIRS}.x"), None),
        (line("EIO=4&sid=0123456789abcdef"), None),
        (line("EIO=4&sid=bbbbbbb.x"), None),
        (line("EIO=4&sid=../../bb.x"), None),
        (line(f"EIO=4&sid={THEIRS}."), None),
        (line(f"EIO=4&sid={THEIRS}.x%00"), None),
        (line(f"EIO=4&sid={THEIRS}.x&sid={THEIRS}.x"), None),
        (line(f"EIO=4&side={THEIRS}.x"), None),
    ],
)
def test_the_id_says_whose_request_it_is(request_line, owner):
    assert OwnerRouting(OURS, []).owner_of(request_line) == owner


def test_the_first_way_that_leads_there_is_taken():
    tried = []

    def way(name, leads_there):
        return lambda *_: tried.append(name) or leads_there

    passing = OwnerRouting(OURS, [way("no", False), way("yes", True), way("never", True)])

    assert passing.pass_on(THEIRS, None, None)
    assert tried == ["no", "yes"]
    assert not OwnerRouting(OURS, [way("no", False)]).pass_on(THEIRS, None, None)


@pytest.fixture(scope="module")
def pair():
    """Two servers of one project on one machine."""
    with LiveServer() as owner, LiveServer(settings={"RUNTIME_DIR": owner.directory.name}) as other:
        yield owner, other
        for one in (owner, other):
            assert "Traceback" not in one.output


def sid_of(server):
    return json.loads(server.get(POLLING).body[1:])["sid"]


def post(sid, body, *headers):
    return get(
        b"Content-Type: text/plain",
        b"Content-Length: %d" % len(body),
        *headers,
        line=f"POST {POLLING}&sid={sid} HTTP/1.1".encode(),
    )


def poll(sid):
    return get(line=f"GET {POLLING}&sid={sid} HTTP/1.1".encode())


def who_answers(sid, *headers):
    """A request that tells what its server knows of it."""
    return get(*headers, line=f"GET /meta/?EIO=4&sid={sid} HTTP/1.1".encode())


def port_of(reply):
    return int(json.loads(reply.body)["SERVER_PORT"])


def test_polls_posts_and_the_upgrade_may_come_to_any_server(pair):
    owner, other = pair
    sid = sid_of(other)

    with owner.talk(post(sid, b"40") + b"40") as conversation:
        assert conversation.reply().body == b"ok"
    with owner.talk(poll(sid)) as conversation:
        assert conversation.reply().body.startswith(b"40{")
    path = f"/socket.io/?EIO=4&transport=websocket&sid={sid}"
    handshake = get(*SOUND, line=f"GET {path} HTTP/1.1".encode())
    with owner.talk(handshake + masked("2probe")) as conversation:
        assert conversation.reply().status == 101
        assert read_frame(conversation.stream) == (1, b"3probe")


def test_the_connection_stays_where_it_was_passed_to(pair):
    owner, other = pair
    sid = sid_of(owner)

    with other.talk(who_answers(sid)) as conversation:
        assert port_of(conversation.reply()) == owner.port
        conversation.send(get(line=b"GET /meta/ HTTP/1.1"))
        assert port_of(conversation.reply()) == owner.port


def test_or_goes_on_to_the_next_and_back(pair):
    owner, other = pair
    sids = {server.port: sid_of(server) for server in pair}

    with other.talk() as conversation:
        for port in (owner.port, other.port, other.port, owner.port):
            conversation.send(who_answers(sids[port]))
            assert port_of(conversation.reply()) == port


def test_who_is_at_the_other_end_is_known_to_the_owner(pair):
    owner, other = pair
    sid = sid_of(owner)

    with other.talk() as conversation:
        host, port = conversation.connection.getsockname()
        conversation.send(who_answers(sid, b"X-Forwarded-For: 192.0.2.1"))
        told = json.loads(conversation.reply().body)

    assert (told["REMOTE_ADDR"], told["REMOTE_PORT"]) == (host, str(port))
    assert told["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"  # 127.0.0.1 is a trusted proxy


@pytest.mark.parametrize(("trusted", "believed"), [(["unix"], True), ([], False)])
def test_a_proxy_behind_a_unix_socket_stays_one(tmp_path, trusted, believed):
    settings = {"RUNTIME_DIR": str(tmp_path), "TRUSTED_PROXIES": trusted}
    path = tmp_path / "site.sock"
    with LiveServer(settings=settings) as owner, LiveServer(settings=settings, address=f"unix:{path}"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        with Conversation(connection) as conversation:
            conversation.send(who_answers(sid_of(owner), b"X-Forwarded-For: 192.0.2.1"))
            told = json.loads(conversation.reply().body)

    assert told["REMOTE_ADDR"] == ""
    assert ("HTTP_X_FORWARDED_FOR" in told) is believed


def test_a_body_that_comes_later_comes_to_the_owner(pair):
    owner, other = pair
    sid = sid_of(owner)
    body = b"40" + b"\x1e42" + json.dumps(["x", "y" * 50_000]).encode()

    with other.talk(post(sid, body, b"Expect: 100-continue")) as conversation:
        assert conversation.reply().status == 100
        for start in range(0, len(body), 20_000):
            conversation.send(body[start : start + 20_000])
        assert conversation.reply().body == b"ok"


def test_a_request_that_was_sent_ahead_is_answered_too(pair):
    owner, other = pair
    sid = sid_of(owner)
    ahead = get(line=b"GET /hello/ HTTP/1.1")

    with other.talk(post(sid, b"40") + b"40" + ahead + poll(sid) + ahead) as conversation:
        replies = [conversation.reply().body for _ in range(4)]

    assert (replies[:2], replies[3]) == ([b"ok", b"hello"], b"hello")
    assert replies[2].startswith(b"40{")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_wherever_the_bytes_are_cut_the_answers_are_the_same(pair, data):
    owner, other = pair
    padding = b"X-Padding: " + b"x" * data.draw(st.sampled_from([1, 4000, 8000]))
    sids = [f"{owner_of(sid)}.x" for sid in ids_of(pair)]
    first, second = data.draw(st.lists(st.sampled_from(sids), min_size=2, max_size=2))
    text = who_answers(first, padding) + who_answers(second, *[padding] * data.draw(st.integers(1, 3)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))

    with other.talk() as conversation:
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            conversation.send(text[start:end])
        ports = [port_of(conversation.reply()) for _ in range(2)]

    by_address = {owner_of(sid): server.port for sid, server in zip(ids_of(pair), pair, strict=True)}
    assert ports == [by_address[owner_of(first)], by_address[owner_of(second)]]


known_ids = {}


def ids_of(pair):
    """One session id of each; asked for once."""
    if pair not in known_ids:
        known_ids[pair] = [sid_of(server) for server in pair]
    return known_ids[pair]


def test_a_head_that_is_refused_is_refused_at_once(pair):
    owner, other = pair
    bad = get(b"Host: twice", line=f"GET {POLLING}&sid={sid_of(owner)} HTTP/1.1".encode())

    with other.talk(bad) as conversation:
        assert conversation.reply().status == 400
    other.wait_for_log("a request needs exactly one Host header")


def test_the_session_of_a_server_that_was_killed_is_unknown(pair):
    _, other = pair
    with LiveServer(settings={"RUNTIME_DIR": pair[0].directory.name}) as victim:
        sid = sid_of(victim)
        with other.talk(post(sid, b"40") + b"40") as conversation:
            assert conversation.reply().body == b"ok"
            victim.stop(signal.SIGKILL)
            assert conversation.rest() == b""

    for _ in range(2):
        with other.talk(poll(sid)) as conversation:
            reply = conversation.reply()
        assert (reply.status, json.loads(reply.body)["code"]) == (400, 1)


def test_the_socket_of_a_server_that_was_killed_is_removed_by_the_next(tmp_path):
    settings = {"RUNTIME_DIR": str(tmp_path)}
    with LiveServer(settings=settings) as first:
        (path,) = tmp_path.glob("*/*.fds")
        first.stop(signal.SIGKILL)
        assert path.exists()
    with LiveServer(settings=settings) as second:
        (other,) = tmp_path.glob("*/*.fds")
        assert other.name != path.name
        second.stop()
    assert list(tmp_path.glob("*/*.fds")) == []


def test_a_connection_that_was_passed_on_counts_where_it_is(tmp_path):
    settings = {"RUNTIME_DIR": str(tmp_path), "MAX_CONNECTIONS": 2}
    with LiveServer(settings=settings) as owner, LiveServer(settings=settings) as other:
        sid = sid_of(owner)
        answers = []
        with contextlib.ExitStack() as connected:
            for _ in range(4):
                conversation = connected.enter_context(other.talk(who_answers(sid)))
                answers.append(conversation.reply().status)
            assert answers == [200, 200, 503, 503]
            assert other.get("/hello/").body == b"hello"
