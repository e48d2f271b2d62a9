"""A publish, its delivery and its receivers are spans, each with the right parent."""

from contextlib import ExitStack

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from realtime_wall import broadcast_emit, publish
from realtime_wall.brokers import entry as entries
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.local.local_link import LocalLink
from realtime_wall.brokers.redis.redis_link import RedisLink
from realtime_wall.brokers.results import Receipt
from realtime_wall.config import Config
from realtime_wall.control import control_client
from realtime_wall.control.unix_server import BusServer
from realtime_wall.errors import NoServer
from realtime_wall.events import on_event
from realtime_wall.node.fan_out.fan_out import FanOut
from realtime_wall.node.node import Node
from realtime_wall.node.publisher import Publisher
from realtime_wall.sockets.dispatch import receivers
from realtime_wall.testing import Realtime
from realtime_wall.tracing import spans
from tests.fakes import RecordingTransport, no_receivers
from tests.live import wait_for
from tests.redis_server import RedisServer

PLACES = (
    (Publisher, "publish"),
    (Publisher, "entered"),
    (entries, "trace_parent"),
    (FanOut, "push"),
    (receivers, "_send"),
    (control_client, "perform"),
)


@pytest.fixture(scope="module")
def exporter():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    kept, spans.tracer = spans.tracer, provider.get_tracer("test")
    before = [(place, name, getattr(place, name)) for place, name in PLACES]
    spans.install()
    spans.install()  # once is enough
    yield exporter
    spans.tracer = kept
    for place, name, function in before:
        setattr(place, name, function)


@pytest.fixture
def realtime(exporter):
    with no_receivers(), Realtime() as realtime:
        yield realtime


@pytest.fixture
def finished(exporter, realtime):
    exporter.clear()

    def named():
        realtime.settle()
        return {span.name: span for span in exporter.get_finished_spans()}

    return named


def test_what_is_published_is_a_parent_of_its_delivery(realtime, finished):
    realtime.connect(channels=["news"])

    with spans.tracer.start_as_current_span("a view"):
        position = publish("news", 1, event="alert")
    found = finished()

    published, delivered = found["publish news"], found["deliver news"]
    assert published.parent.span_id == found["a view"].context.span_id
    assert delivered.parent.span_id == published.context.span_id
    for span in (published, delivered):
        assert span.attributes["messaging.message.id"] == str(position)
        assert span.attributes["realtime_wall.event"] == "alert"
    assert delivered.attributes["realtime_wall.sent"] == 1
    assert delivered.end_time >= published.start_time


def test_a_receiver_is_a_trace_of_its_own_with_what_it_publishes(realtime, finished):
    @on_event(name="say")
    def say(request, socket, context, event):
        broadcast_emit("said", event.data)
        return True

    ada = realtime.connect()
    assert ada.call("say", "hi") is True
    found = finished()

    received = found["receive say"]
    assert received.parent is None
    assert "test_spans" in received.attributes["realtime_wall.receivers"][0]
    assert received.attributes["realtime_wall.session_id"] == ada.session_id
    assert found["publish everyone"].parent.span_id == received.context.span_id


def test_a_receiver_that_fails_is_an_error(realtime, finished):
    @on_event(name="say")
    def say(request, socket, context, event):
        raise ValueError("on purpose")

    assert realtime.connect().call("say", "hi") == {"error": "failed"}

    assert finished()["receive say"].status.status_code is trace.StatusCode.ERROR
    assert "receive socket_client_event" not in finished()


def test_what_another_process_publishes_is_a_span_there(exporter):
    exporter.clear()

    with pytest.raises(NoServer):
        publish("news", 1)

    (span,) = exporter.get_finished_spans()
    assert (span.name, span.status.status_code) == ("publish news", trace.StatusCode.ERROR)


# Two servers


def by_a_hub(config):
    """The first has the hub, the other a Unix socket to it."""

    def open_bus(hub):
        bus = BusServer(lambda command: Receipt(), config, hub=hub)
        bus.start()
        return bus.stop

    return lambda rules, address: LocalLink(config, rules, address, open_bus)


def by_redis(config):
    return lambda rules, address: RedisLink(config, rules, address)


@pytest.fixture(params=["a hub", pytest.param("redis", marks=pytest.mark.redis)])
def two(request, tmp_path, exporter):
    """One that publishes, and another with a client on the channel."""
    with ExitStack() as stack:
        if request.param == "redis":
            config = Config(broker=stack.enter_context(RedisServer()).url)
            connect = by_redis(config)
        else:
            config = Config(runtime_dir=str(tmp_path))
            connect = by_a_hub(config)
        nodes = [Node(config, connect), Node(config, connect)]
        for node in nodes:
            node.start()
            stack.callback(node.stop)
        client = RecordingTransport(nodes[0], everyone=False)
        stack.callback(client.leave)
        nodes[0].subscribe(client, {"news": 0})
        exporter.clear()
        yield nodes[1], client


def test_a_trace_that_is_none_hinders_no_delivery(two, exporter, monkeypatch):
    publisher, client = two
    monkeypatch.setattr(entries, "trace_parent", lambda: "no trace")

    publisher.perform(Publish(channel="news", data_json="1", counted=False))

    wait_for(lambda: client.data_heard == [1])
    (delivered,) = [span for span in exporter.get_finished_spans() if span.name == "deliver news"]
    assert delivered.parent is None


def test_what_one_server_publishes_and_another_delivers_is_one_trace(two, exporter):
    publisher, client = two

    with spans.tracer.start_as_current_span("a view"):
        publisher.perform(Publish(channel="news", data_json="1", counted=False))
    wait_for(lambda: len(exporter.get_finished_spans()) == 3)

    found = {span.name: span for span in exporter.get_finished_spans()}
    published, delivered = found["publish news"], found["deliver news"]
    assert client.data_heard == [1]
    assert delivered.parent.span_id == published.context.span_id
    assert {span.context.trace_id for span in found.values()} == {found["a view"].context.trace_id}
