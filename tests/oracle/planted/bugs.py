"""Bugs that a server could have, each put into the one that runs: the oracle has to notice.

Every so often, as real ones do; what is not meant to be broken works.
"""

import os
from itertools import count

from django.apps import AppConfig

EVERY = 20


def every():
    """True each so many times."""
    numbers = count(1)
    return lambda: next(numbers) % EVERY == 0


def a_message_is_not_delivered():
    from realtime_wall.node.fan_out.fan_out import FanOut

    is_due, push = every(), FanOut.push
    FanOut.push = lambda self, message, audience, *then: push(
        self, message, None if is_due() else audience, *then
    )


def one_client_is_left_out():
    from realtime_wall.node.fan_out.fan_out import FanOut

    is_due, push = every(), FanOut.push

    def leaving_out(self, message, audience, *then):
        delivery = push(self, message, audience, *then)
        if is_due():
            delivery.places = tuple((lane, end - 1) for lane, end in delivery.places)
        return delivery

    FanOut.push = leaving_out


def a_message_is_delivered_twice():
    from realtime_wall.node.fan_out.fan_out import FanOut

    is_due, push = every(), FanOut.push

    def twice(self, message, audience, *then):
        if is_due():
            push(self, message, audience)
        return push(self, message, audience, *then)

    FanOut.push = twice


def two_messages_change_places():
    from realtime_wall.node.fan_out.fan_out import Delivery, FanOut

    is_due, push, held = every(), FanOut.push, []

    def swapping(self, message, audience, then=None):
        if is_due():
            held.append((message, audience, then))
            delivery = Delivery(message, None, then)
            delivery.done.set()
            return delivery
        delivery = push(self, message, audience, then)
        while held:
            push(self, *held.pop())
        return delivery

    FanOut.push = swapping


def the_log_forgets_a_message():
    from realtime_wall.channels.history import History

    is_due, add = every(), History.add

    def forgetting(self, message, now):
        add(self, message, now)
        if is_due():
            self._kept.pop()

    History.add = forgetting


def a_resume_skips_the_first():
    from realtime_wall.brokers.replica import Replica

    kept_since = Replica.kept_since

    def skipping(self, channel, offset):
        messages, lost = kept_since(self, channel, offset)
        return messages[1:], lost

    Replica.kept_since = skipping


def a_resume_begins_too_early():
    from realtime_wall.brokers.replica import Replica

    kept_since = Replica.kept_since
    Replica.kept_since = lambda self, channel, offset: kept_since(self, channel, max(offset - 8, 0))


def a_position_is_given_twice():
    from dataclasses import replace

    from realtime_wall.channels.log import Log

    is_due, append, last = every(), Log.append, []

    def stuttering(self, *args, **kwargs):
        message = append(self, *args, **kwargs)
        if is_due() and last:
            message = replace(message, position=last[0])
        last[:] = [message.position]
        return message

    Log.append = stuttering


def a_gap_is_not_told():
    """The epoch stays the same over a restart."""
    from realtime_wall.brokers import replica

    replica.new_epoch = lambda: "always"


def a_message_is_acknowledged_before_it_is_lost():
    from realtime_wall.brokers.commands import Publish
    from realtime_wall.brokers.results import Receipt
    from realtime_wall.node.node import Node

    is_due, perform = every(), Node.perform

    def forgetful(self, command):
        if isinstance(command, Publish) and is_due():
            top = self.broker.top
            return Receipt(processes=1, position=f"{top.epoch}:{top.offset + 1}")
        return perform(self, command)

    Node.perform = forgetful


class PlantedConfig(AppConfig):
    name = "bugs"
    path = os.path.dirname(__file__)

    def ready(self):
        globals()[os.environ["PLANTED"]]()
