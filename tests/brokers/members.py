"""Servers without a server: what a link brings in is recorded, and entered into a replica."""

from __future__ import annotations

from dataclasses import replace

from gevent.event import Event

from realtime_wall.brokers.entry import Deleted, proposal
from realtime_wall.brokers.replica import Replica
from realtime_wall.channels.rules import Rule, Rules
from tests.live import wait_for

CHANNELS_KEPT = 1000


class RecordingMember:
    """A server: its log, and what it was told."""

    def __init__(self, rules, history_channels=CHANNELS_KEPT):
        self.replica = Replica(rules, history_channels)
        self.entries = []
        self.envelopes = []
        self.epochs = []
        self.begun = 0
        self.gone_servers = []
        self.is_cut_off = False
        self.room = Event()
        self.room.set()

    def begin(self, image):
        self.replica.restore(image)
        self.begun += 1
        self.epochs.append(self.replica.top.epoch)

    def entry(self, entry):
        self.replica.enter(entry)
        self.entries.append(entry)

    def receive(self, envelope):
        self.envelopes.append(envelope)

    def wait_for_room(self):
        self.room.wait()

    def gone(self, address):
        self.gone_servers.append(address)

    def take_over(self, restored=None):
        self.begun += 1
        return self.replica.take_over(restored)

    def cut_off(self):
        self.is_cut_off = True

    # What tests ask

    @property
    def renewed(self):
        """How often its clients had to come back."""
        return max(0, self.begun - 1)

    @property
    def texts(self):
        return [one.item.data_json for one in self.entries if not isinstance(one.item, Deleted)]

    def state(self):
        """All that is kept, without what is different on each machine."""
        *channels, of_all = self.replica.log.image(0.0)
        return {one.channel: one for one in channels}, replace(of_all, began=None)

    def has(self, count):
        """Wait until so many entries have come."""
        return wait_for(
            lambda: len(self.entries) >= count, f"{count} entries (there are {len(self.entries)})"
        )


def some_rules(**options):
    return Rules({}, Rule(**options))


def say(link, what, counted=False):
    return link.sequence(proposal(what, link.address, counted))
