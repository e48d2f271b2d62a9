"""What all servers of a cluster know alike about presence: a replicated state machine.

Servers announce on a channel of their own who is there by them, and each applies every announcement in the
one order. So all rosters are the same, in step with that order: the table, the events that are pending, and
the leader, who publishes them. That is the server that has been in it longest; the others keep what it has
not published yet, and the next of them does when it is gone.

A server that joins announces it, and is given a snapshot of the roster as it was at that entry.

Of a crowd nobody is told who comes and goes, which would be each to each, but how many there are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from realtime_wall.presence.table import PEOPLE, PresenceChange, Table

Announcement = dict[str, Any]

JOIN: Announcement = {"join": 1}
# Of a server that found nobody who has a roster: its own is everybody's from here on.
START: Announcement = {"start": 1}


# So many people on a channel are listed; more are a crowd, until they are as few as the second number.
LISTED, FEW = 1000, 500


def dead(server: str) -> Announcement:
    return {"dead": server}


def delta(joins: list[tuple[str, Any]], leaves: list[tuple[str, str]]) -> Announcement:
    """Channels with persons who are there by this server, and with ids of those who no longer are."""
    return {"joins": joins, "leaves": leaves}


class Roster:
    def __init__(self) -> None:
        self.table = Table()
        self.join_order: list[str] = []  # the servers that have a roster, the longest first
        self.pending: dict[str, PresenceChange] = {}  # by keys that are the same for all servers
        # Channels with a crowd, and the key of the last change that nobody was told the number after.
        self.crowds: dict[str, str] = {}

    def apply(self, server: str, key: str, announcement: Announcement) -> None:
        """The next announcement in the one order, by a server, under a key that nothing else has."""
        if "join" in announcement:
            self._remove(server)
            self.join_order.append(server)
        elif "dead" in announcement:
            self._remove(announcement["dead"])
            self._add_pending(key, self.table.remove_server(announcement["dead"]))
        else:
            joins, leaves = announcement.get("joins", ()), announcement.get("leaves", ())
            changes = [change for one in joins for change in self.table.join(server, *one)]
            changes += [change for one in leaves for change in self.table.leave(server, *one)]
            self._add_pending(key, changes)

    def start(self, server: str) -> None:
        """This roster is everybody's; others get theirs from it."""
        self.join_order = [server]

    def published(self, channel: str, key: str) -> None:
        """An event is in the log."""
        self.pending.pop(key, None)
        if self.crowds.get(channel) == key:
            self.crowds[channel] = ""

    def leader(self, missing: Collection[str]) -> str | None:
        """The server that publishes what is pending."""
        return next((server for server in self.join_order if server not in missing), None)

    def servers(self) -> set[str]:
        """All that are known by it."""
        return {*self.join_order, *self.table.servers()}

    def _remove(self, server: str) -> None:
        if server in self.join_order:
            self.join_order.remove(server)

    def _add_pending(self, key: str, changes: list[PresenceChange]) -> None:
        for number, change in enumerate(changes):
            key_of_change, channel = f"{key}/{number}", change.channel
            count = self.table.count(channel)
            if channel not in self.crowds and count <= LISTED:
                self.pending[key_of_change] = change
            elif count > FEW:
                self.crowds[channel] = key_of_change
            else:
                del self.crowds[channel]
                self.pending[key_of_change] = PresenceChange(PEOPLE, channel, None)

    # As JSON

    def snapshot(self) -> dict[str, Any]:
        pending = [[key, one.event, one.channel, one.person] for key, one in self.pending.items()]
        return {
            "table": self.table.snapshot(),
            "join_order": list(self.join_order),
            "pending": pending,
            "crowds": dict(self.crowds),
        }

    @classmethod
    def from_snapshot(cls, snapshot: dict[str, Any]) -> Roster:
        roster = cls()
        roster.table = Table.from_snapshot(snapshot["table"])
        roster.join_order = list(snapshot["join_order"])
        roster.pending = {
            key: PresenceChange(event, channel, person) for key, event, channel, person in snapshot["pending"]
        }
        roster.crowds = dict(snapshot["crowds"])
        return roster
