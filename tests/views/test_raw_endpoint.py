"""A WebSocket of the project's own protocol."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.live import LiveServer, RawClient, wait_for


@pytest.fixture(scope="module")
def server():
    with LiveServer(settings={"WEBSOCKET_COMPRESSION": True, "COMPRESSION_MIN_SIZE": 100}) as running:
        yield running


def client(server, room="lobby", **kwargs):
    return RawClient(f"ws://{server.host}/raw/{room}/", **kwargs)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=200) | st.binary(max_size=70_000), max_size=10))
def test_what_arrives_is_what_was_sent_in_its_order(server, frames):
    with client(server, "echo") as echo:
        for data in frames:
            echo.send(data)

        assert [echo.read() for _ in frames] == frames


def test_a_client_that_offers_compression_has_it_and_another_has_not(server):
    text = "the same again, " * 50
    for extensions, is_deflated in ([ClientPerMessageDeflateFactory()], True), (None, False):
        with client(server, "echo", extensions=extensions) as echo:
            echo.send(text)
            sizes, exchange = [], echo.protocol.receive_data
            echo.protocol.receive_data = lambda data: (sizes.append(len(data)), exchange(data))  # noqa: B023

            assert echo.read() == text
            assert bool(echo.protocol.extensions) == is_deflated
            assert (sum(sizes) < len(text) / 5) == is_deflated


def test_functions_know_the_request_the_url_and_what_they_kept(server):
    with client(server, "blue") as one:
        assert one.read() == "AnonymousUser in blue"
        one.send("a")
        one.send(b"b")

        assert [one.read(), one.read()] == [b"\x01", b"\x02"]


def test_a_connect_receiver_may_refuse(server):
    with client(server, "closed") as refused, pytest.raises(ConnectionClosed) as closed:
        refused.read()

    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3500, "nobody may enter")


def test_user_code_may_close(server):
    with client(server) as one:
        one.read()
        one.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            one.read()

    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "as you wish")


def test_what_fails_is_logged_and_the_next_frame_is_heard(server):
    with client(server) as one:
        one.read()
        one.send("fail")
        one.send("again")

        assert one.read() == b"\x01"
    assert "site_app.raw.frame failed on <RawSocket /raw/lobby/>" in server.output


def test_who_has_gone_is_told_of_once(server):
    with client(server, "once"):
        pass
    with client(server) as other:
        other.read()

        def told():
            other.send("gone")
            return other.read().split().count("once")

        assert wait_for(told) == 1


def test_another_origin_is_refused_as_everywhere(server):
    with pytest.raises(InvalidStatus):
        client(server, origin="https://elsewhere.example", additional_headers={"Cookie": "a=b"})


def test_a_stop_closes_it_so_that_its_client_comes_back():
    with LiveServer() as own, client(own) as one:
        one.read()
        own.process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            one.read()

        assert closed.value.rcvd.code == 1001
