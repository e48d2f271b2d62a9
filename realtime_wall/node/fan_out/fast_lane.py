"""How does a message reach thousands without a line of ours for each of them?

Those on a channel who are written the same bytes share a lane: a flat list with the bound ``send`` of each
socket that is *ready*: past its handshake, with nothing in its outbox or backlog, and nothing held back. To
deliver is to call one ``send`` after the other, or, where the kernel lets us, to have it do so for many with
one call (``wire/send_ring.py``); only when one fails, or takes a part, is it looked up whose it was.

A subscriber has one place in the list, from joining to leaving. While it is not ready, ``ask`` is in that
place, which sends nothing and says so: then the subscriber is asked to deliver, which takes longer. If it
turns out to be ready, its ``send`` takes the place. The other way is taken at once: whatever makes a
client's bytes wait, or has to be written before them, calls ``Wire.leave_lanes``.

Nothing is written down for a delivery. Up to where a client was sent everything follows from its place: a
pass that has come by it has given it the pass's message, otherwise it has that of the pass before. It is
told when it leaves the lane.

A pass gives the event loop its turns, and meanwhile anybody may come and go. Who comes is put at the end,
behind the ``end`` that a message notes when it is queued, and hears what follows. The place of one who has
left stays empty while a message is on its way, and is then filled by the last. So coming and going take the
same time in a room of ten and of ten thousand.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Protocol

from realtime_wall.channels.position import Position
from realtime_wall.node.fan_out.subscriber import Codec, Encoded, Subscriber
from realtime_wall.wire.connection import SENT, Written
from realtime_wall.wire.send_ring import BATCH, LARGEST

# Between two looks at the clock, which cost about as much as a twentieth of a delivery.
DELIVERIES_PER_LOOK = 32
# To fewer one ``send`` each is sooner done than a call for all. Just after another message the ring gains
# from 12 on; when everything else has run in between, what it needs is in no cache, and it takes 20 us more.
FEWEST = 32
ASKED = -1
FAILED = 0
NOBODY = -1  # in place of a descriptor
NOWHERE = Position("", 0)


class Ring(Protocol):
    def send(self, data: bytes, descriptors: array[int], first: int, end: int, /) -> list[tuple[int, int]]:
        """Who did not take all of it, by place, and what it took, or a negative number."""


def ask(data: bytes) -> int:
    """In the place of a subscriber that is not ready, or has left."""
    return ASKED


class Lane:
    __slots__ = (
        "_empty",
        "_members",
        "_now",
        "_passed",
        "_places",
        "_sends",
        "_before",
        "_descriptors",
        "_unsent",
        "codec",
        "is_of_sockets",
        "strangers",
    )

    def __init__(self, codec: Codec | None, is_of_sockets: bool) -> None:
        self.codec = codec
        self.is_of_sockets = is_of_sockets
        # By place.
        self._sends: list[Callable[[bytes], int]] = []
        self._descriptors = array("i")
        self._members: list[Subscriber | None] = []
        self._places: dict[Subscriber, int] = {}
        self._empty: list[int] = []
        self.strangers: list[Subscriber] = []  # whose codec is another one since they joined
        # Those in places below ``_passed`` have everything up to ``_now``, the others up to ``_before``.
        self._before = self._now = NOWHERE
        self._passed = 0
        self._unsent: set[int] = set()  # places below it that are looked at yet, one after the other

    # Who is in it

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, member: object) -> bool:
        return member in self._places

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(list(self._places))

    @property
    def end(self) -> int:
        """Behind everybody who is there now."""
        return len(self._sends)

    def add(self, member: Subscriber) -> None:
        self._places[member] = len(self._sends)
        self._sends.append(ask)
        self._descriptors.append(NOBODY)
        self._members.append(member)

    def remove(self, member: Subscriber) -> None:
        place = self._places[member]
        if self._sends[place] is not ask:
            assert member.wire is not None
            member.wire.leave_lane(self, member)
        del self._places[member]
        self._members[place] = None
        self._empty.append(place)

    def close_ranks(self) -> None:
        """Fill the empty places: no message is on its way."""
        if not self._empty:
            return
        for place in sorted(self._empty, reverse=True):
            send, descriptor, last = self._sends.pop(), self._descriptors.pop(), self._members.pop()
            if last is not None and place < len(self._sends):
                self._sends[place], self._descriptors[place] = send, descriptor
                self._members[place], self._places[last] = last, place
        self._empty.clear()

    # Who is ready

    def position_of(self, member: Subscriber) -> Position:
        """Up to where a ready member was sent everything."""
        place = self._places[member]
        return self._now if place < self._passed and place not in self._unsent else self._before

    def ask_again(self, member: Subscriber) -> None:
        """It is ready no more. Called by its wire."""
        place = self._places[member]
        self._sends[place], self._descriptors[place] = ask, NOBODY
        member.was_sent(self.position_of(member))

    def _let_in_if_ready(self, place: int, member: Subscriber, position: Position) -> None:
        wire = member.wire
        if wire is None or not member.is_ready(position) or self._members[place] is not member:
            return
        send = wire.send
        if send is not None:
            self._sends[place], self._descriptors[place] = send, wire.descriptor
            wire.enter_lane(self, member)

    # A delivery

    def deliver(
        self,
        encoded: Encoded,
        end: int,
        deliver_to: Callable[[Subscriber], Written | None],
        give_turns: Callable[[], None],
        ask_all: bool = False,
        ring: Ring | None = None,
    ) -> list[int]:
        """Send to everybody before ``end``; how many deliveries came to what, by Written.

        ``deliver_to`` is called for each that has to be asked, and returns None when it is to hear nothing.
        """
        data = b"" if self.codec is None else encoded[self.codec]
        position = encoded.messages[-1].position
        if not data and self.codec is not None:  # nothing of it is for this kind of client
            self._before, self._now, self._passed = self._now, position, end
            return [0, 0, 0]
        sends: list[Callable[[bytes], int]] = [ask] * end if ask_all else self._sends
        if ask_all or end < FEWEST or len(data) > LARGEST:
            ring = None
        self._before, self._now, self._passed = self._now, position, 0
        counts, asked = [0, 0, 0], 0
        while (at := self._passed) < end:
            if ring is None:
                others = self._send_to_each(sends, data, at, end)
            else:
                others = self._send_to_many(ring, data, at, min(at + BATCH, end))
            for place, sent in others:
                asked += 1
                written = self._deliver_otherwise(place, data, sent, position, deliver_to)
                self._unsent.discard(place)
                if written is not None:
                    counts[written] += 1
            give_turns()
        counts[SENT] += end - asked
        return counts

    def _send_to_each(
        self, sends: list[Callable[[bytes], int]], data: bytes, at: int, end: int
    ) -> list[tuple[int, int]]:
        """Up to the first that did not take all of it, and no further than until the next look at the clock.

        Returns its place and what it took.
        """
        size = sent = len(data)
        try:
            for send in sends[at : min(at + DELIVERIES_PER_LOOK, end)]:
                at += 1
                if (sent := send(data)) != size:
                    break
        except OSError:
            sent = FAILED
        self._passed = at
        if sent == size:
            return []
        self._unsent.add(at - 1)
        return [(at - 1, sent)]

    def _send_to_many(self, ring: Ring, data: bytes, at: int, end: int) -> list[tuple[int, int]]:
        """To all of them with one call; who did not take all of it, by place, and what they took.

        First those that took a part: nothing else may be written to them before the rest waits.
        """
        others = ring.send(data, self._descriptors, at, end)
        self._passed = end
        if not others:
            return others
        self._unsent.update(place for place, _ in others)
        partly = [(place, sent) for place, sent in others if sent > 0]
        asked = [place for place, sent in others if sent <= 0]
        return partly + [(one, ASKED if self._descriptors[one] == NOBODY else FAILED) for one in asked]

    def _deliver_otherwise(
        self,
        place: int,
        data: bytes,
        sent: int,
        position: Position,
        deliver_to: Callable[[Subscriber], Written | None],
    ) -> Written | None:
        member = self._members[place]
        if member is None:
            return None
        if sent != ASKED:
            assert member.wire is not None
            if sent != FAILED:
                self._unsent.discard(place)  # it will have this message
                return member.wire.sent_partly(data, sent)
            member.wire.leave_lanes()  # it finds out why as it tries again
        written = deliver_to(member)
        if member.codec is not self.codec:
            self.strangers.append(member)
        elif written is SENT and self.codec is not None:
            self._let_in_if_ready(place, member, position)
        return written
