"""What happens when something is published, taken back, or deleted, in one server process.

Each puts something into the log (or takes it out) and hands it to the fan-out without giving the event loop
a turn in between: so the order of the log is the order of the deliveries.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic, time

from realtime_wall.brokers.command import Delete, Publish, Receipt, Retract
from realtime_wall.brokers.memory import MemoryBroker
from realtime_wall.channels import retraction
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.remembered import Remembered
from realtime_wall.channels.subscriptions import Subscriptions
from realtime_wall.errors import MessageTooBig, NoSocket
from realtime_wall.fan_out import FanOut, Subscriber
from realtime_wall.protocol.plain import RETRACTED


class Publishing:
    def __init__(
        self,
        broker: MemoryBroker,
        subscriptions: Subscriptions[Subscriber],
        fan_out: FanOut,
        message_size: int,
        published: Callable[[Message], object],
    ) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._fan_out = fan_out
        self._message_size = message_size
        self._published = published  # told of each message in the log, before it is delivered
        self._answered: Remembered[Receipt] = Remembered()

    def publish(self, command: Publish) -> Receipt:
        self.check_size(command.data_json)
        self._fan_out.wait_for_room()
        key = command.idempotency_key
        known = None if key is None else self._answered.get((command.channel, key), monotonic())
        if known is not None:  # a receipt may be false
            return known
        audience = self._subscriptions.snapshot(command.channel)
        if command.wanted and not audience:
            raise NoSocket(
                "There are no clients."
                if command.channel == EVERYONE
                else f"There are no clients on the channel: {command.channel}"
            )
        message = self._passing(command) if command.volatile else self._logged(command)
        if key is not None:
            # Before the deliveries: it may be said again while they are on their way.
            receipt = Receipt(processes=1, position=str(message.position))
            self._answered.put((command.channel, key), receipt, monotonic())
        return self._deliver(message, audience, counted=command.counted)

    def _logged(self, command: Publish) -> Message:
        return self._broker.append(
            command.channel,
            command.data_json,
            event=command.event,
            event_id=command.event_id,
            exclude=command.exclude,
            arity=command.arity,
            binary=command.binary,
        )

    def _passing(self, command: Publish) -> Message:
        """A message that is not logged."""
        return Message(
            command.channel,
            command.data_json,
            self._broker.top,
            number=0,
            time=time(),
            event=command.event,
            exclude=command.exclude,
            arity=command.arity,
            binary=command.binary,
            is_volatile=True,
        )

    def retract(self, command: Retract) -> Receipt:
        self._fan_out.wait_for_room()
        taken = retraction.take_out(self._broker, command.channel, command.which)
        if taken is None:
            return Receipt(processes=1)
        audience = self._subscriptions.snapshot(command.channel)
        message = self._broker.append(
            command.channel,
            taken.data_json,
            event=RETRACTED,
            event_id=None,
            exclude=None,
            arity=1,
            retracts=taken.offset,
        )
        return self._deliver(message, audience, counted=True)

    def delete(self, command: Delete) -> Receipt:
        """Drop a channel's log, and let its subscribers leave once they were told what came before."""
        channel, farewell = command.channel, command.farewell
        self.check_size(json.dumps(farewell))
        self._fan_out.wait_for_room()
        audience = self._subscriptions.snapshot(channel)
        if not self._broker.delete(channel) and not audience:
            return Receipt(processes=1)
        top = self._broker.top
        # To nobody: when it is done, so is everything that was published before.
        self._fan_out.push(Message(channel, "null", top, 0, 0.0), ()).done.wait()
        for subscriber in audience:
            subscriber.deleted(channel, farewell, top)
        return Receipt(processes=1, sockets=len(audience), position=str(top))

    def tell(self, channel: str, data_json: str, event: str) -> None:
        """Publish something of our own, without waiting."""
        audience = self._subscriptions.snapshot(channel)
        message = self._broker.append(channel, data_json, event=event, event_id=None, exclude=None, arity=1)
        self._deliver(message, audience, counted=False)

    def check_size(self, data_json: str) -> None:
        size, limit = len(data_json), self._message_size
        if size > limit // 4:  # only then can its UTF-8 be too long
            size = len(data_json.encode())
        if size > limit:
            raise MessageTooBig(size, limit)

    def _deliver(self, message: Message, audience: tuple[Subscriber, ...], *, counted: bool) -> Receipt:
        delivery = self._fan_out.push(message, audience) if audience else None
        if not message.is_volatile:
            self._published(message)
        if delivery is None or not counted:
            return Receipt(processes=1, position=str(message.position))
        delivery.done.wait()
        dropped, queued, sent = delivery.counts
        return Receipt(1, queued + sent, queued, dropped, str(message.position))
