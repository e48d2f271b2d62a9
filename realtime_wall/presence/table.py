"""Who is on a channel, in the whole cluster? A person may be there on several servers, and is there once.

Every server applies the same joins and leaves in the same order, so all of them have the same table, and see
the same person come first and leave last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# A dict with its "id", and whatever else may be shown of it.
Person = dict[str, Any]

JOINED = "joined"
LEFT = "left"
# Who is there, or of a crowd how many: for a socket that has just subscribed, and for all when it changes.
PEOPLE = "presence"


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A person has joined a channel, or left it, for the whole cluster; or a crowd is none any more."""

    event: str  # JOINED or LEFT, or PEOPLE
    channel: str
    person: Person | None  # None with PEOPLE


class _Present:
    __slots__ = ("person", "servers")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.servers: set[str] = set()


class Table:
    def __init__(self) -> None:
        self._channels: dict[str, dict[str, _Present]] = {}  # by channel, and by the ids of persons
        self._servers: dict[str, dict[tuple[str, str], None]] = {}  # what each has announced

    def join(self, server: str, channel: str, person: Person) -> list[PresenceChange]:
        """A server has somebody on a channel. What is shown of a person is what was announced first."""
        people = self._channels.setdefault(channel, {})
        present = people.get(person["id"])
        is_first = present is None
        if present is None:
            present = people[person["id"]] = _Present(person)
        present.servers.add(server)
        self._servers.setdefault(server, {})[channel, person["id"]] = None
        return [PresenceChange(JOINED, channel, present.person)] if is_first else []

    def leave(self, server: str, channel: str, person_id: str) -> list[PresenceChange]:
        """A server has somebody on a channel no longer."""
        people = self._channels.get(channel, {})
        present = people.get(person_id)
        if present is None or server not in present.servers:
            return []
        present.servers.remove(server)
        announced = self._servers[server]
        del announced[channel, person_id]
        if not announced:
            del self._servers[server]
        if present.servers:
            return []
        del people[person_id]
        if not people:
            del self._channels[channel]
        return [PresenceChange(LEFT, channel, present.person)]

    def remove_server(self, server: str) -> list[PresenceChange]:
        """All that it had have left it; in an order that a table made from a snapshot has, too."""
        return [
            change
            for channel, person_id in sorted(self.of(server))
            for change in self.leave(server, channel, person_id)
        ]

    def of(self, server: str) -> list[tuple[str, str]]:
        """The channels and the persons that a server has announced."""
        return list(self._servers.get(server, ()))

    def people(self, channel: str) -> list[Person]:
        """Those who are on a channel, who joined first at the front."""
        return [present.person for present in self._channels.get(channel, {}).values()]

    def count(self, channel: str) -> int:
        return len(self._channels.get(channel, ()))

    def servers(self) -> set[str]:
        """Those by which anybody is there."""
        return set(self._servers)

    # As JSON

    def snapshot(self) -> list[Any]:
        return [
            [channel, present.person, sorted(present.servers)]
            for channel, people in self._channels.items()
            for present in people.values()
        ]

    @classmethod
    def from_snapshot(cls, snapshot: list[Any]) -> Table:
        table = cls()
        for channel, person, servers in snapshot:
            for server in servers:
                table.join(server, channel, person)
        return table
