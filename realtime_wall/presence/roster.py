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

from realtime_wall.presence.table import Flip, Table

Said = dict[str, Any]

HELLO: Said = {"hello": 1}
# Said by a server that found nobody who has a roll: its own is everybody's from here on.
START: Said = {"start": 1}


def dead(server: str) -> Said:
    return {"dead": server}


def changes(here: list[tuple[str, Any]], gone: list[tuple[str, str]]) -> Said:
    """Persons who are on a channel by the server that says it, and the ids of those who are no longer."""
    return {"here": here, "gone": gone}


class Roll:
    def __init__(self) -> None:
        self.table = Table()
        self.seniors: list[str] = []  # the servers that have a roll, the longest first
        self.untold: dict[str, Flip] = {}  # by keys that are the same for all servers

    def entered(self, server: str, key: str, said: Said) -> None:
        """A server has said something, in the one order, under a key that nothing else has."""
        if "hello" in said:
            self._leave(server)
            self.seniors.append(server)
        elif "dead" in said:
            self._leave(said["dead"])
            self._flip(key, self.table.server_gone(said["dead"]))
        else:
            flips = [flip for one in said.get("here", ()) for flip in self.table.come(server, *one)]
            flips += [flip for one in said.get("gone", ()) for flip in self.table.go(server, *one)]
            self._flip(key, flips)

    def start(self, server: str) -> None:
        """This roll is everybody's; others get theirs from it."""
        self.seniors = [server]

    def told(self, key: str) -> None:
        """An event is in the log."""
        self.untold.pop(key, None)

    def teller(self, missing: Collection[str]) -> str | None:
        """The server that tells what is to be told."""
        return next((server for server in self.seniors if server not in missing), None)

    def servers(self) -> set[str]:
        """All that are known by it."""
        return {*self.seniors, *self.table.servers()}

    def _leave(self, server: str) -> None:
        if server in self.seniors:
            self.seniors.remove(server)

    def _flip(self, key: str, flips: list[Flip]) -> None:
        self.untold.update({f"{key}/{number}": flip for number, flip in enumerate(flips)})

    # As JSON

    def image(self) -> dict[str, Any]:
        untold = [[key, one.event, one.channel, one.person] for key, one in self.untold.items()]
        return {"table": self.table.image(), "seniors": list(self.seniors), "untold": untold}

    @classmethod
    def restored(cls, image: dict[str, Any]) -> Roll:
        roll = cls()
        roll.table = Table.restored(image["table"])
        roll.seniors = list(image["seniors"])
        roll.untold = {key: Flip(event, channel, person) for key, event, channel, person in image["untold"]}
        return roll
