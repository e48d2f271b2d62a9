"""What all servers of a cluster know alike about presence: the roll.

Servers say on one channel of their own who is there by them, and each enters what is said in the one order.
So all rolls are the same, in step with that order: the table, the events that are still to be told, and who
tells them. That is the server that has been there longest; the others keep what it has not told yet, and
tell it when it is gone.

A server that comes says hello, and is given an image of the roll as it was at its hello.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from realtime_wall.presence.table import PresenceChange, Table

Announcement = dict[str, Any]

HELLO: Announcement = {"hello": 1}
# Said by a server that found nobody who has a roll: its own is everybody's from here on.
START: Announcement = {"start": 1}


def dead(server: str) -> Announcement:
    return {"dead": server}


def changes(here: list[tuple[str, Any]], gone: list[tuple[str, str]]) -> Announcement:
    """Persons who are on a channel by the server that says it, and the ids of those who are no longer."""
    return {"here": here, "gone": gone}


class Roster:
    def __init__(self) -> None:
        self.table = Table()
        self.join_order: list[str] = []  # the servers that have a roll, the longest first
        self.untold: dict[str, PresenceChange] = {}  # by keys that are the same for all servers

    def entered(self, server: str, key: str, said: Announcement) -> None:
        """A server has said something, in the one order, under a key that nothing else has."""
        if "hello" in said:
            self._leave(server)
            self.join_order.append(server)
        elif "dead" in said:
            self._leave(said["dead"])
            self._change(key, self.table.server_gone(said["dead"]))
        else:
            changes = [change for one in said.get("here", ()) for change in self.table.come(server, *one)]
            changes += [change for one in said.get("gone", ()) for change in self.table.go(server, *one)]
            self._change(key, changes)

    def start(self, server: str) -> None:
        """This roll is everybody's; others get theirs from it."""
        self.join_order = [server]

    def told(self, key: str) -> None:
        """An event is in the log."""
        self.untold.pop(key, None)

    def leader(self, missing: Collection[str]) -> str | None:
        """The server that tells what is to be told."""
        return next((server for server in self.join_order if server not in missing), None)

    def servers(self) -> set[str]:
        """All that are known by it."""
        return {*self.join_order, *self.table.servers()}

    def _leave(self, server: str) -> None:
        if server in self.join_order:
            self.join_order.remove(server)

    def _change(self, key: str, changes: list[PresenceChange]) -> None:
        self.untold.update({f"{key}/{number}": change for number, change in enumerate(changes)})

    # As JSON

    def image(self) -> dict[str, Any]:
        untold = [[key, one.event, one.channel, one.person] for key, one in self.untold.items()]
        return {"table": self.table.image(), "join_order": list(self.join_order), "untold": untold}

    @classmethod
    def restored(cls, image: dict[str, Any]) -> Roster:
        roster = cls()
        roster.table = Table.restored(image["table"])
        roster.join_order = list(image["join_order"])
        roster.untold = {
            key: PresenceChange(event, channel, person) for key, event, channel, person in image["untold"]
        }
        return roster
