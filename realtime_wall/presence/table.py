"""Who is on a channel, in the whole cluster? A person may be there on several servers, and is there once.

Every server applies the same changes in the same order, so all of them have the same table, and see the same
person come first and leave last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# A dict with its "id", and whatever else may be shown of it.
Person = dict[str, Any]

JOINED = "joined"
LEFT = "left"


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """Somebody is there who was not, or the other way round."""

    event: str  # JOINED or LEFT
    channel: str
    person: Person


class _There:
    __slots__ = ("person", "servers")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.servers: set[str] = set()


class Table:
    def __init__(self) -> None:
        self._channels: dict[str, dict[str, _There]] = {}  # by channel, and by the ids of persons
        self._servers: dict[str, dict[tuple[str, str], None]] = {}  # what each has said is there

    def come(self, server: str, channel: str, person: Person) -> list[PresenceChange]:
        """A server has somebody on a channel. What is shown of a person is what was said of it first."""
        people = self._channels.setdefault(channel, {})
        there = people.get(person["id"])
        is_first = there is None
        if there is None:
            there = people[person["id"]] = _There(person)
        there.servers.add(server)
        self._servers.setdefault(server, {})[channel, person["id"]] = None
        return [PresenceChange(JOINED, channel, there.person)] if is_first else []

    def go(self, server: str, channel: str, person_id: str) -> list[PresenceChange]:
        """A server has somebody on a channel no longer."""
        people = self._channels.get(channel, {})
        there = people.get(person_id)
        if there is None or server not in there.servers:
            return []
        there.servers.remove(server)
        said = self._servers[server]
        del said[channel, person_id]
        if not said:
            del self._servers[server]
        if there.servers:
            return []
        del people[person_id]
        if not people:
            del self._channels[channel]
        return [PresenceChange(LEFT, channel, there.person)]

    def server_gone(self, server: str) -> list[PresenceChange]:
        """All that it had are no longer there by it; in an order that a table made from an image has, too."""
        return [
            change
            for channel, person_id in sorted(self.of(server))
            for change in self.go(server, channel, person_id)
        ]

    def of(self, server: str) -> list[tuple[str, str]]:
        """The channels and the persons that a server has said are there."""
        return list(self._servers.get(server, ()))

    def people(self, channel: str) -> list[Person]:
        """Those who are on a channel, who came first at the front."""
        return [there.person for there in self._channels.get(channel, {}).values()]

    def servers(self) -> set[str]:
        """Those by which anybody is there."""
        return set(self._servers)

    # As JSON

    def image(self) -> list[Any]:
        return [
            [channel, there.person, sorted(there.servers)]
            for channel, people in self._channels.items()
            for there in people.values()
        ]

    @classmethod
    def restored(cls, image: list[Any]) -> Table:
        table = cls()
        for channel, person, servers in image:
            for server in servers:
                table.come(server, channel, person)
        return table
