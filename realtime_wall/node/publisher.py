"""What happens when something is published, taken back, or deleted, as one server process sees it.

It is put into the order of the cluster, and comes back from there as an entry: then whoever is subscribed
here gets it. Between the log and the fan-out the event loop gets no turn: so the order of the log is the
order of the deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import gevent

from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Publish, SequencedCommand
from realtime_wall.brokers.entry import Deleted, Entry, Proposal, Sequenced, proposal
from realtime_wall.brokers.member import Broker
from realtime_wall.brokers.results import Receipt, Spooled
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.errors import MessageTooBig
from realtime_wall.node.fan_out.fan_out import Delivery, FanOut
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.node.fan_out.wildcard_subscriptions import WildcardSubscriptions


@runtime_checkable
class Spooling(Protocol):
    """A link that may be down for a while."""

    def sequence_or_spool(self, proposal: Proposal) -> Sequenced | None: ...


class Publisher:
    def __init__(
        self,
        broker: Broker,
        subscriptions: Subscriptions,
        wildcards: WildcardSubscriptions,
        fan_out: FanOut,
        message_size: int,
        published: Callable[[Message, bool], object],
    ) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._wildcards = wildcards
        self._fan_out = fan_out
        self._message_size = message_size
        # Called with each message in the log, before it is delivered, and whether it was published here.
        self._published = published

    # Into the order

    def publish(self, command: SequencedCommand) -> Receipt:
        self.check_size(command.text)
        self._fan_out.wait_for_room()
        if (
            isinstance(command, Publish)
            and command.wanted
            and self.has_listener(command.channel, command.exclude)
        ):
            command = replace(command, wanted=False)  # nobody else has to be asked
        return router.sequence(self._broker.calls, command)

    def has_listener(self, channel: str, exclude: str | None = None) -> bool:
        """Whether a message on it would reach somebody here: by a wildcard, too."""
        if self._wildcards.in_use:
            self._wildcards.begin(channel)
        return self._subscriptions.has_listener(channel, exclude)

    def publish_or_spool(self, command: Publish) -> Position | Spooled:
        """PublishFailed only when more wait already than may."""
        self.check_size(command.data_json)
        self._fan_out.wait_for_room()
        link = self._broker.link
        if not isinstance(link, Spooling):  # it is this machine's own, and does not go away
            return Position.parse(router.sequence(self._broker.calls, command).position)
        sequenced = link.sequence_or_spool(proposal(command, self._broker.address))
        return Spooled() if sequenced is None or sequenced.position is None else sequenced.position

    def enter(self, proposals: Sequence[Proposal]) -> list[Position | None | Exception]:
        """At once, in order; where each is now, or what failed.

        After a PublishFailed the same have to be entered again, with what follows them.
        """
        self._fan_out.wait_for_room()
        if len(proposals) == 1:
            return [self._enter(proposals[0])]
        entering = [gevent.spawn(self._enter, proposed) for proposed in proposals]  # they begin in this order
        try:
            gevent.joinall(entering)
        finally:
            gevent.killall(entering, block=False)
        return [greenlet.value for greenlet in entering]

    def _enter(self, proposed: Proposal) -> Position | None | Exception:
        try:
            self.check_size(proposed.command.text)
            return self._broker.link.sequence(proposed).position
        except Exception as problem:
            return problem

    def publish_event(self, channel: str, data_json: str, event: str, key: str) -> None:
        """Publish something of our own, once for its key."""
        command = Publish(
            channel=channel, data_json=data_json, event=event, counted=False, idempotency_key=key
        )
        self._broker.link.sequence(proposal(command, self._broker.address))

    def check_size(self, data_json: str) -> None:
        size, limit = len(data_json), self._message_size
        if size > limit // 4:  # only then can its UTF-8 be too long
            size = len(data_json.encode())
        if size > limit:
            raise MessageTooBig(size, limit)

    # Out of it

    def wait_for_room(self) -> None:
        self._fan_out.wait_for_room()

    def entered(self, entry: Entry) -> None:
        if isinstance(entry.item, Deleted):
            self._deleted(entry, entry.item)
            return
        message = entry.item
        if self._wildcards.in_use:
            self._wildcards.begin(message.channel)
        audience = self._subscriptions.audience(message.channel)
        if audience is not None:
            self._fan_out.push(message, audience, self._report(entry))
        if not message.is_volatile:
            self._published(message, self._broker.answers_for(entry))
        if entry.counted and audience is None:
            self._broker.report(entry, Receipt(processes=1))

    def _report(self, entry: Entry) -> Callable[[Delivery], None] | None:
        """What is to be done when it was delivered."""
        if not entry.counted:
            return None

        def delivered(delivery: Delivery) -> None:
            dropped, queued, sent = delivery.counts
            self._broker.report(entry, Receipt(1, queued + sent, queued, dropped))

        return delivered

    def _deleted(self, entry: Entry, deleted: Deleted) -> None:
        """Let its subscribers leave, once they have what was published before."""
        channel, position = deleted.channel, deleted.position
        members = self._subscriptions.snapshot(channel)

        def delivered(_: Delivery) -> None:
            for subscriber in members:
                subscriber.deleted(channel, deleted.notice, position)
            self._broker.report(entry, Receipt(processes=1, sockets=len(members)))

        # To nobody: when it is done, so is everything that was published before.
        self._fan_out.push(Message(channel, "null", position, 0, 0.0), None, delivered)
