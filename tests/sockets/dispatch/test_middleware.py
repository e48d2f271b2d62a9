"""The project's middleware runs around receivers, and decides about them."""

import pytest
from django.test import override_settings

from realtime_wall.errors import Refuse
from realtime_wall.events import on_connect, on_error, on_event, on_message
from realtime_wall.testing import ConnectRefused, Realtime
from realtime_wall.testing.client import TWO_WAY
from tests.fakes import no_receivers

LOG = []


def noting(name):
    def middleware(get_response):
        LOG.append(f"made {name}")

        def handle(socket, *event):
            LOG.append(f"{name} before")
            answer = get_response(socket, *event)
            LOG.append(f"{name} after {answer!r}")
            return answer

        return handle

    return middleware


outer, inner = noting("outer"), noting("inner")


def only_small(get_response):
    def handle(socket, event):
        if event.data and event.data > 9:
            return {"error": "too large"}
        answer = get_response(socket, event)
        return answer if answer is None else answer * 10

    return handle


def only_members(get_response):
    async def handle(socket):
        if not socket.request.GET.get("member"):
            raise Refuse("members only")
        get_response(socket)

    return handle


def failing(get_response):
    def handle(*args):
        raise ValueError("out of order")

    return handle


def silent(get_response):
    return lambda socket: None


@pytest.fixture
def site():
    LOG.clear()

    def site(**settings):
        return override_settings(REALTIME_WALL=settings), Realtime()

    with no_receivers():
        yield site


def connected(site, transport="websocket", query=None, **settings):
    override, realtime = site(**settings)
    override.enable()
    try:
        with realtime:
            yield realtime.connect(transport, query=query)
    finally:
        override.disable()


@pytest.mark.parametrize("transport", TWO_WAY)
def test_it_runs_in_its_order_and_changes_what_receivers_answer(site, transport):
    @on_event(name="double")
    def double(request, socket, context, event):
        LOG.append("receiver")
        return event.data * 2

    chain = [outer, f"{__name__}.only_small", inner]
    for client in connected(site, transport, EVENT_MIDDLEWARE=chain):
        assert client.call("double", 3) == 60
        assert LOG[-5:] == ["outer before", "inner before", "receiver", "inner after 6", "outer after 60"]
        assert client.call("double", 10) == {"error": "too large"}
        assert LOG[-2:] == ["outer before", "outer after {'error': 'too large'}"]
        assert LOG.count("made outer") <= 1


def test_a_message_passes_it_too(site):
    heard = []

    @on_message
    def hear(request, socket, context, message):
        heard.append(message)

    for client in connected(site, EVENT_MIDDLEWARE=[outer]):
        client.send("hello")
        client._settle()
        assert heard == ["hello"]
        assert LOG[-1] == "outer after None"


def test_one_that_fails_is_a_failed_event_and_told_to_on_error(site):
    problems = []

    @on_error
    def told(request, socket, context, exception):
        problems.append(str(exception))

    @on_event(name="add")
    def add(request, socket, context, event):
        raise AssertionError("it ran")

    for client in connected(site, EVENT_MIDDLEWARE=[failing]):
        with pytest.raises(Exception, match="failed"):
            raise Exception(client.call("add", 1))
        assert problems == ["out of order"]


@pytest.mark.parametrize("transport", TWO_WAY)
def test_around_a_connection_it_lets_in_or_refuses(site, transport):
    greeted = []

    @on_connect
    def greet(request, socket, context):
        greeted.append(socket.id)

    for _ in connected(site, transport, {"member": "1"}, CONNECTION_MIDDLEWARE=[outer, only_members]):
        assert len(greeted) == 1 and LOG[-1] == "outer after None"
    with pytest.raises(ConnectRefused, match="members only"):
        next(connected(site, transport, CONNECTION_MIDDLEWARE=[only_members]))
    assert len(greeted) == 1


@pytest.mark.parametrize("broken", [failing, silent])
def test_one_that_fails_or_asks_nobody_lets_nobody_in(site, broken):
    with pytest.raises(ConnectRefused):
        next(connected(site, CONNECTION_MIDDLEWARE=[broken]))


def test_a_refusal_of_a_receiver_passes_through_it(site):
    @on_connect
    def refuse(request, socket, context):
        raise Refuse("full")

    with pytest.raises(ConnectRefused, match="full"):
        next(connected(site, CONNECTION_MIDDLEWARE=[outer]))
