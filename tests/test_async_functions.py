"""Functions of a project's that are asynchronous, wherever it may give one."""

import asyncio
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.test import RequestFactory, override_settings
from gevent import getcurrent

from realtime_wall import config, signals
from realtime_wall.async_functions import result_of
from realtime_wall.auth import authorize_hook, channel_permissions
from realtime_wall.channels.rules import Rule
from realtime_wall.errors import Refuse
from realtime_wall.events import on_connect, on_event
from realtime_wall.server import asyncio_per_greenlet
from realtime_wall.sockets.dispatch import receivers
from tests.fakes import no_receivers


class Sender:
    log_id = "one"
    context = None
    request = RequestFactory().get("/")
    channels = ()


@pytest.fixture(autouse=True)
def as_on_the_server():
    asyncio_per_greenlet.install()
    with no_receivers():
        yield
    asyncio_per_greenlet.uninstall()


async def twice(number):
    await asyncio.sleep(0)
    return 2 * number


class Called:
    async def __call__(self, number):
        return await twice(number)


@pytest.mark.parametrize("function", [twice, partial(twice), Called(), lambda number: twice(number)])
def test_an_async_function_is_waited_for(function):
    assert result_of(function(4)) == 8


@pytest.mark.parametrize("value", [None, 0, "text", [1]])
def test_what_a_plain_function_returns_stays(value):
    assert result_of(value) is value


def test_what_it_raises_is_raised():
    async def fail():
        raise Refuse({"why": 1})

    with pytest.raises(Refuse):
        result_of(fail())


def test_its_database_queries_run_in_the_greenlet_that_waits():
    async def where():
        return await sync_to_async(getcurrent)()

    assert result_of(where()) is getcurrent()


def test_an_async_receiver_answers_an_event():
    @on_event(name="add")
    async def add(request, socket, context, event):
        await asyncio.sleep(0)
        return sum(event)

    outcome = receivers.run(signals.socket_client_event_by_type["add"], Sender(), event=[1, 2])

    assert outcome.answer == 3


def test_an_async_receiver_may_refuse():
    @on_connect
    async def refuse(request, socket, context):
        raise Refuse("no")

    assert receivers.run(signals.socket_connected, Sender()).refused.data == "no"


@pytest.mark.parametrize("agreed", [True, False])
def test_an_async_rule_decides_by_what_it_returns(agreed):
    async def may(request, channel):
        return agreed

    assert channel_permissions.may_read(Rule(read=may), Sender.request, "a") is agreed


@pytest.mark.parametrize("agreed", [True, False])
def test_an_async_permission_hook_decides_by_what_it_returns(agreed):
    async def authorize(request):
        return agreed

    with override_settings(REALTIME_WALL={"AUTHORIZE": authorize}):
        refusal = authorize_hook.refusal(Sender.request, config.current())

    assert (refusal is None) is agreed
