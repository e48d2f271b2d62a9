"""Spans of OpenTelemetry: what is published, how long its delivery takes, and what receivers do.

``install()`` puts itself around functions of the server, as instrumentation does: without it none of them
knows of traces, and nothing is paid. A span's parent is whatever is current: a view that publishes, a
receiver, a task. To the other servers a message brings the ``traceparent`` of who has published it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from realtime_wall import signals
from realtime_wall.brokers import entry as entries
from realtime_wall.brokers.commands import Publish, SequencedCommand
from realtime_wall.brokers.entry import Entry
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.control import control_client
from realtime_wall.node.fan_out.fan_out import Delivery, FanOut
from realtime_wall.node.fan_out.subscriptions import Audience
from realtime_wall.node.publisher import Publisher
from realtime_wall.sockets.dispatch import receivers

tracer = trace.get_tracer("realtime_wall")
w3c = TraceContextTextMapPropagator()

Then = Callable[[Delivery], None] | None


def install() -> None:
    """Once, when Django has started."""
    if not hasattr(Publisher.publish, "__wrapped__"):
        Publisher.publish = _publishing(Publisher.publish)  # type: ignore[method-assign]
        Publisher.entered = _continuing(Publisher.entered)  # type: ignore[method-assign]
        entries.trace_parent = _trace_parent
        FanOut.push = _delivering(FanOut.push)  # type: ignore[method-assign]
        receivers._send = _receiving(receivers._send)
        control_client.perform = _asking(control_client.perform)


def _about(channel: str, event: str | None, position: object = None) -> dict[str, str]:
    found = {"messaging.system": "realtime_wall", "messaging.destination.name": _name(channel)}
    if event is not None:
        found["realtime_wall.event"] = event
    if position is not None:
        found["messaging.message.id"] = str(position)
    return found


def _name(channel: str) -> str:
    """What is sent to everyone goes by a channel that nobody can name."""
    return "everyone" if channel == EVERYONE else channel


def _publishing(publish: Callable[..., Receipt]) -> Callable[..., Receipt]:
    @functools.wraps(publish)
    def traced(self: Publisher, command: SequencedCommand) -> Receipt:
        return _published(command, lambda: publish(self, command))

    return traced


def _asking(perform: Callable[..., Any]) -> Callable[..., Any]:
    """Outside of a server: what it publishes is sent to one."""

    @functools.wraps(perform)
    def traced(command: Any, *args: Any) -> Any:
        if not isinstance(command, Publish):
            return perform(command, *args)
        return _published(command, lambda: perform(command, *args))

    return traced


def _published(command: SequencedCommand, publish: Callable[[], Receipt]) -> Receipt:
    about = _about(command.channel, command.event)
    with tracer.start_as_current_span(
        f"publish {_name(command.channel)}", kind=SpanKind.PRODUCER, attributes=about
    ) as span:
        receipt = publish()
        if receipt.position is not None:
            span.set_attribute("messaging.message.id", receipt.position)
        return receipt


def _trace_parent() -> str | None:
    carrier: dict[str, str] = {}
    w3c.inject(carrier)
    return carrier.get("traceparent")


def _continuing(enter: Callable[..., None]) -> Callable[..., None]:
    """What comes from another server goes on with the trace that it began there."""

    @functools.wraps(enter)
    def traced(self: Publisher, entry: Entry) -> None:
        if entry.trace is None:
            return enter(self, entry)
        token = context.attach(w3c.extract({"traceparent": entry.trace}))
        try:
            return enter(self, entry)
        finally:
            context.detach(token)

    return traced


def _delivering(push: Callable[..., Delivery]) -> Callable[..., Delivery]:
    """From when it has its place until everybody here was written to."""

    @functools.wraps(push)
    def traced(self: FanOut, message: Message, audience: Audience | None, then: Then = None) -> Delivery:
        about = _about(message.channel, message.event, message.position)
        span = tracer.start_span(
            f"deliver {_name(message.channel)}", kind=SpanKind.CONSUMER, attributes=about
        )

        def delivered(delivery: Delivery) -> None:
            dropped, queued, sent = delivery.counts
            span.set_attributes(
                {
                    "realtime_wall.sent": sent,
                    "realtime_wall.queued": queued,
                    "realtime_wall.dropped": dropped,
                }
            )
            span.end()
            if then is not None:
                then(delivery)

        return push(self, message, audience, delivered)

    return traced


def _receiving(send: Callable[..., None]) -> Callable[..., None]:
    """A trace of its own for each: the handshake, in whose context it runs, is long over. It is linked."""

    @functools.wraps(send)
    def traced(
        signal: signals.Signal, socket: Any, arguments: dict[str, Any], outcome: receivers.Outcome
    ) -> None:
        names = [signals.name_of(receiver) for receiver in signal.receivers_for(socket)]
        if not names:
            return
        event = arguments.get("event")
        with tracer.start_as_current_span(
            f"receive {signal.name if event is None else event.name}",
            context=None if signal is signals.socket_error else context.Context(),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "realtime_wall",
                "realtime_wall.receivers": names,
                "realtime_wall.session_id": socket.id,
            },
            links=[Link(found)] if (found := trace.get_current_span().get_span_context()).is_valid else [],
        ) as span:
            send(signal, socket, arguments, outcome)
            if outcome.failed:
                span.set_status(Status(StatusCode.ERROR))

    return traced
