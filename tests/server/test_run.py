"""How a server ends: clients are told to come back, requests are finished, nothing is left behind."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from realtime_wall.server import run
from tests.live import PATIENCE, LiveServer, wait_for
from tests.management import projects
from tests.server.heads import get
from tests.site_tables import with_tables

HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SLOW = get(line=b"GET /slow/ HTTP/1.1")


class NohupServer(LiveServer):
    executable = "nohup"

    def _with_patches(self, program):
        return [sys.executable, *super()._with_patches(program)]


@pytest.fixture
def own_server():
    with with_tables(LiveServer()) as running:
        yield running


def test_the_garbage_collector_seldom_walks_all_clients_and_never_what_was_loaded(own_server):
    with own_server.client() as client:
        frozen, full_collection_after = client.ask("garbage collector")

    assert frozen > 10_000
    assert full_collection_after == 50


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_with_status_0_and_without_a_word(own_server, number):
    before = own_server.output

    assert own_server.stop(number) == 0
    assert own_server.output == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clients_are_told_to_come_back(own_server, number):
    with own_server.client() as client:
        own_server.process.send_signal(number)

        with pytest.raises(ConnectionClosed) as closed:
            client.read()

        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "the server restarts")
        assert own_server.process.wait(PATIENCE) == 0
    assert "Traceback" not in own_server.output


def test_under_nohup_it_outlives_its_terminal():
    with NohupServer() as server:
        server.process.send_signal(signal.SIGHUP)

        assert server.get("/hello/").body == b"hello"
        assert server.stop() == 0


def test_a_request_in_flight_is_finished_and_its_connection_closed(own_server):
    with own_server.talk(SLOW) as conversation:
        own_server.wait_for_log("slow begins")
        own_server.process.send_signal(signal.SIGTERM)
        reply = conversation.reply()
        rest = conversation.rest()

    assert (reply.body, reply.headers["connection"], rest) == (b"slow", "close", b"")
    assert own_server.process.wait(PATIENCE) == 0


@pytest.mark.alone  # a server that ends waits for a first word for a second
def test_who_was_let_in_a_moment_before_is_answered(own_server):
    with own_server.talk() as late, own_server.talk() as silent:
        own_server.get("/hello/")  # it came after them: they are accepted, too
        own_server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(own_server))
        late.send(get())
        reply = late.reply()

        assert (reply.body, reply.headers["connection"], late.rest()) == (b"hello", "close", b"")
        assert silent.rest() == b""
    assert own_server.process.wait(PATIENCE) == 0


@pytest.mark.alone
def test_a_socket_that_was_let_in_a_moment_before_is_opened_and_told_to_come_back(own_server):
    with own_server.talk() as late:
        own_server.get("/hello/")
        own_server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(own_server))
        late.send(HANDSHAKE)

        assert late.reply(has_body=False).status == 101
        assert b"the server restarts" in late.rest()


@pytest.mark.alone
def test_a_handshake_that_the_site_is_still_looking_at_is_opened_and_told_to_come_back(own_server):
    with own_server.talk(HANDSHAKE.replace(b"/ws/", b"/ws/?slowly")) as late:
        own_server.wait_for_log("slow begins")
        own_server.process.send_signal(signal.SIGTERM)

        assert late.reply(has_body=False).status == 101
        assert b"the server restarts" in late.rest()


def test_nobody_new_is_let_in_while_it_ends(own_server):
    with own_server.talk(SLOW) as conversation:
        own_server.wait_for_log("slow begins")
        own_server.process.send_signal(signal.SIGTERM)

        def is_refused():
            try:
                own_server.raw().close()
            except (ConnectionRefusedError, ConnectionResetError):  # before it is accepted, or while it is
                return True

        wait_for(is_refused)
        assert conversation.reply().body == b"slow"


def test_a_kept_connection_that_waits_for_nothing_does_not_hold_it_up(own_server):
    with own_server.talk(get()) as kept, own_server.talk() as silent:
        assert kept.reply().body == b"hello"
        begun = time.monotonic()

        assert own_server.stop() == 0

        assert time.monotonic() - begun < 3  # less than DRAIN_TIMEOUT
        assert (kept.rest(), silent.rest()) == (b"", b"")


def test_a_client_that_does_not_answer_holds_it_up_for_a_limited_time():
    with LiveServer(settings={"DRAIN_TIMEOUT": 0.5}) as server, server.talk(SLOW.replace(b"slow", b"slower")):
        server.wait_for_log("slow begins")
        begun = time.monotonic()

        assert server.stop() == 0

        assert 0.4 < time.monotonic() - begun < 4
        assert "Traceback" not in server.output


def test_a_second_signal_ends_it_at_once():
    with (
        LiveServer(settings={"DRAIN_TIMEOUT": 60.0}) as server,
        server.talk(SLOW.replace(b"slow", b"slower")),
    ):
        server.wait_for_log("slow begins")
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(server))
        assert server.process.poll() is None

        threading.Event().wait(run.ONE_SIGNAL)
        assert server.stop(signal.SIGINT) == 0
        assert "Traceback" not in server.output


def test_the_same_signal_twice_in_a_moment_is_one():
    """Control-C reaches the whole process group, and the reloader passes it on."""
    with LiveServer() as server, server.talk(SLOW) as conversation:
        server.wait_for_log("slow begins")
        server.process.send_signal(signal.SIGINT)
        wait_for(lambda: not is_listening(server))
        server.process.send_signal(signal.SIGINT)

        assert conversation.reply().body == b"slow"
        assert server.process.wait(PATIENCE) == 0


def is_listening(server):
    try:
        server.raw().close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:  # in the moment of closing
        return True
    return True


def test_the_socket_of_the_bus_is_removed(own_server):
    (directory,) = [path for path in os.scandir(own_server.directory.name) if path.is_dir()]
    socket = Path(directory, f"{own_server.process.pid}.sock")
    assert list(Path(directory).glob("*.sock")) == [socket]

    own_server.stop()

    assert not socket.exists()


EVENTS = """
    from realtime_wall import signals

    @signals.server_started.connect
    def broken(node):
        raise LookupError("of ours")

    @signals.server_started.connect
    def begun(node):
        print("receiver: started", flush=True)

    @signals.server_stopping.connect
    def ending(node):
        print("receiver: stopping", flush=True)
"""


def test_receivers_hear_of_the_start_and_the_end_whatever_another_one_does(tmp_path):
    with projects.serve(projects.make(tmp_path, events=EVENTS)) as server:
        assert "receiver: started" in server.output
        assert "LookupError: of ours" in server.output
        assert "receiver: stopping" not in server.output

        assert server.stop() == 0
        assert "receiver: stopping" in server.output
