"""Was a message lost in silence, doubled, or told out of order?

The judge is given what publishers tried and what each client heard, and nothing else: no clock, no socket,
no server. From both it makes one list of what is in each channel; each client's journal has to agree with
that list, from where the client began until the last message, except where a gap was announced in time.

That all clients hear one and the same order follows: a position has one message, a message one position,
and at each client positions rise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.oracle.journal import REFUSED, TAKEN, At, Attempt, Gap, Journal, Odd, Place, Resumed, Run

# The kinds of verdicts
LOST = "lost in silence"
INVENTED = "never attempted"
REFUSED_YET_HEARD = "refused, yet heard"
ANOTHER_CHANNEL = "of another channel"
OUT_OF_ORDER = "out of order"
TWICE = "told twice"
BEFORE_CURSOR = "told again from before the cursor"
ONE_PLACE = "two messages, one position"
TWO_PLACES = "one message, two positions"
NEW_EPOCH = "a new epoch in silence"
OLD_EPOCH = "an old epoch again"
CLIENT = "a mistake of the client's own"
ODD = "odd"


class Verdict(NamedTuple):
    kind: str
    sentence: str


@dataclass
class Judgement:
    verdicts: list[Verdict] = field(default_factory=list)
    deliveries: Counter[str] = field(default_factory=Counter)  # by kind of client
    duplicates: Counter[str] = field(default_factory=Counter)  # that the client's cursor takes out
    gaps: Counter[str] = field(default_factory=Counter)
    forgiven: Counter[str] = field(default_factory=Counter)  # messages that gaps announced as lost

    @property
    def kinds(self) -> set[str]:
        return {verdict.kind for verdict in self.verdicts}

    def say(self, kind: str, sentence: str) -> None:
        self.verdicts.append(Verdict(kind, f"{kind}: {sentence}"))


def judge(attempts: Sequence[Attempt], journals: Sequence[Journal]) -> Judgement:
    judgement = Judgement()
    truth = Truth(attempts, journals, judgement)
    for journal in journals:
        _Reader(journal, truth, judgement).read()
    return judgement


class Truth:
    """What is in each channel: all that was promised, and all that anybody heard."""

    def __init__(
        self, attempts: Sequence[Attempt], journals: Iterable[Journal], judgement: Judgement
    ) -> None:
        self._judgement = judgement
        self._attempts: dict[int, list[Attempt]] = defaultdict(list)
        for attempt in attempts:
            self._attempts[attempt.number].append(attempt)
        self.channel_of = {number: tried[0].channel for number, tried in self._attempts.items()}
        self._numbers: dict[str, dict[int, int]] = defaultdict(dict)  # by epoch and offset
        self._places: dict[int, set[Place]] = defaultdict(set)
        self._promised(attempts)
        self._heard(journals)
        self._look_at_places()
        self._offsets: dict[tuple[str, str], list[int]] = defaultdict(list)
        for epoch, numbers in self._numbers.items():
            for offset in sorted(numbers):
                self._offsets[self.channel_of[numbers[offset]], epoch].append(offset)
        began: dict[str, float] = {}
        for attempt in attempts:
            if attempt.place is not None:
                epoch = attempt.place.epoch
                began[epoch] = min(attempt.began, began.get(epoch, attempt.began))
        self.epochs = sorted(began, key=lambda epoch: began[epoch])
        self._look_at_times()

    def offsets(self, channel: str, epoch: str) -> list[int]:
        return self._offsets.get((channel, epoch), [])

    def tell(self, place: Place) -> str:
        """A message in words."""
        number = self._numbers.get(place.epoch, {}).get(place.offset)
        if number is None:
            return f"{place}"
        last = self._attempts[number][-1]
        return f"message {number} ({place}; {last.outcome}{' at ' if last.began else ''}{last.ended:.3f} s)"

    def _promised(self, attempts: Iterable[Attempt]) -> None:
        for one in attempts:
            if one.outcome != TAKEN or one.place is None:
                continue
            known = self._numbers[one.place.epoch].setdefault(one.place.offset, one.number)
            if known != one.number:
                self._judgement.say(
                    ONE_PLACE, f"{one.place} was promised to message {known} and to message {one.number}"
                )
            else:
                self._places[one.number].add(one.place)

    def _heard(self, journals: Iterable[Journal]) -> None:
        for journal in journals:
            for event in journal.events:
                if isinstance(event, Run):
                    self._heard_run(journal, event)

    def _heard_run(self, journal: Journal, run: Run) -> None:
        known = self._numbers[run.epoch]
        self._judgement.deliveries[journal.kind] += len(run.offsets)
        for offset, number in zip(run.offsets, run.numbers, strict=True):
            if known.get(offset) == number:
                continue
            place = Place(run.epoch, offset)
            if number not in self._attempts:
                sentence = f"{journal.name} heard message {number} at {place}, which nobody has published"
                self._judgement.say(INVENTED, sentence)
            elif offset in known:
                sentence = (
                    f"{journal.name} heard message {number} at {place}, which is message {known[offset]}"
                )
                self._judgement.say(ONE_PLACE, sentence)
            else:  # whose publisher was not told
                known[offset] = number
                self._places[number].add(place)
                if all(one.outcome == REFUSED for one in self._attempts[number]):
                    why = self._attempts[number][-1].why
                    sentence = (
                        f"{journal.name} heard message {number} at {place}; publishing it raised: {why}"
                    )
                    self._judgement.say(REFUSED_YET_HEARD, sentence)

    def _look_at_places(self) -> None:
        for number, places in self._places.items():
            if len(places) < 2:
                continue
            epochs = {place.epoch for place in places}
            # What was tried again after its server had forgotten all it knew is there again.
            if len(epochs) < len(places) or len(self._attempts[number]) == 1:
                where = ", ".join(map(str, sorted(places)))
                self._judgement.say(TWO_PLACES, f"message {number} is at {where}")

    def _look_at_times(self) -> None:
        """What was promised before another was begun comes before it."""
        calls: dict[str, list[tuple[float, float, int, int]]] = defaultdict(list)
        for number, tried in self._attempts.items():
            for place in {one.place for one in tried if one.place is not None}:
                ended = min(one.ended for one in tried if one.place == place)
                calls[place.epoch].append((tried[0].began, ended, place.offset, number))
        for epoch, all_of_it in calls.items():
            ended_first = sorted(all_of_it, key=lambda call: call[1])
            highest, at = (-1, -1), 0
            for began, _, offset, number in sorted(all_of_it):
                while at < len(ended_first) and ended_first[at][1] < began:
                    highest = max(highest, ended_first[at][2:])
                    at += 1
                if highest[0] > offset:
                    sentence = (
                        f"message {number} was begun when message {highest[1]} had been promised"
                        f" {epoch}:{highest[0]}, and was given the earlier {epoch}:{offset}"
                    )
                    self._judgement.say(OUT_OF_ORDER, sentence)


class _Channel:
    """Where one client stands in one channel."""

    __slots__ = (
        "again",
        "asked",
        "epoch",
        "forgiven",
        "name",
        "next",
        "offsets",
        "skipped",
        "start",
        "until",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch: str | None = None
        self.offsets: list[int] = []
        self.next = 0  # the index of what it has to hear next
        self.start = 0  # and of what it had to hear first
        # From ``again`` until ``until`` it may hear what it has heard: the cursor it came with was older.
        self.again = self.until = 0
        self.asked = -1
        self.skipped: dict[Place, str] = {}  # what it has not heard, and how that was noticed
        self.forgiven: set[int] = set()


class _Reader:
    """Goes through one journal."""

    def __init__(self, journal: Journal, truth: Truth, judgement: Judgement) -> None:
        self._journal = journal
        self._truth = truth
        self._judgement = judgement
        self._channels = {name: _Channel(name) for name in journal.channels}
        self._last = Place("", -1)  # on this connection, for who has one cursor

    def read(self) -> None:
        for event in self._journal.events:
            match event:
                case Run():
                    self._run(event)
                case Resumed(channel, place):
                    self._last = place
                    self._each(channel, place, self._resumed)
                case At(channel, place):
                    self._each(channel, place, self._at)
                case Gap(channel, place):
                    self._judgement.gaps[self._journal.kind] += 1
                    self._each(channel, place, self._gap)
                case Odd(what):
                    self._judgement.say(ODD, f"{self._journal.name}: {what}")
        for channel in self._channels.values():
            self._end(channel)

    def _each(self, name, place, do) -> None:
        if name is None:
            for channel in self._channels.values():
                do(channel, place)
        elif name in self._channels:
            do(self._channels[name], place)
        else:
            self._say(ANOTHER_CHANNEL, f"was told of {name!r}, which it is not on")

    def _say(self, kind: str, sentence: str, channel: _Channel | None = None) -> None:
        where = "" if channel is None else f", on channel {channel.name!r},"
        self._judgement.say(kind, f"{self._journal.name}{where} {sentence}")

    # What happens

    def _run(self, run: Run) -> None:
        channel_of, channels = self._truth.channel_of, self._channels
        epoch, one_cursor = run.epoch, self._journal.one_cursor
        last = self._last.offset if self._last.epoch == epoch else -1
        for offset, number in zip(run.offsets, run.numbers, strict=True):
            name = channel_of.get(number)
            channel = channels.get(name) if name is not None else None
            if channel is None:
                if name is not None:
                    self._say(ANOTHER_CHANNEL, f"heard message {number} ({epoch}:{offset}) of {name!r}")
                continue
            if channel.epoch == epoch:
                at = channel.next
                if at < len(channel.offsets) and channel.offsets[at] == offset:
                    channel.next = at + 1
                    if one_cursor and offset < last:
                        heard = f"heard {epoch}:{offset} after {epoch}:{last} of another channel"
                        self._say(OUT_OF_ORDER, heard, channel)
                    last = max(last, offset)
                    continue
            self._unexpected(channel, Place(epoch, offset))
            last = offset
        self._last = Place(epoch, last)

    def _unexpected(self, channel: _Channel, place: Place) -> None:
        if channel.epoch != place.epoch:
            if channel.epoch is not None:
                sentence = f"heard {self._truth.tell(place)}, and no gap was told"
                self._silent_epoch(channel, place, sentence)
            else:
                self._enter(channel, Place(place.epoch, place.offset - 1))
                channel.next += 1
            return
        index = bisect_left(channel.offsets, place.offset)
        if index >= len(channel.offsets) or channel.offsets[index] != place.offset:
            return  # no message of the truth: said already
        if index > channel.next:
            before = channel.offsets[channel.next - 1] if channel.next else "nothing"
            self._skip(channel, index, f"it heard {before}, then {place.offset}")
            channel.next = index + 1
        elif place in channel.skipped:
            del channel.skipped[place]
            self._say(OUT_OF_ORDER, f"heard {self._truth.tell(place)} after later ones", channel)
        else:
            self._told_again(channel, place, index)

    def _told_again(self, channel: _Channel, place: Place, index: int) -> None:
        if channel.again <= index < channel.until:
            channel.again = index + 1
            self._judgement.duplicates[self._journal.kind] += 1
        elif place.offset <= channel.asked or index < channel.start or place.offset in channel.forgiven:
            sentence = f"heard {self._truth.tell(place)}; it had asked for what follows {channel.asked}"
            self._say(BEFORE_CURSOR, sentence, channel)
        else:
            self._say(TWICE, f"heard {self._truth.tell(place)} twice on one connection", channel)

    def _resumed(self, channel: _Channel, place: Place) -> None:
        """The client's own word; it cannot say that it has what it was never told."""
        if channel.epoch is None:
            self._enter(channel, place)
        elif channel.epoch != place.epoch:
            self._say(CLIENT, f"asked for what follows {place}, and stood in {channel.epoch}", channel)
        else:
            self._at(channel, place)
        channel.asked = place.offset
        channel.until = channel.next
        channel.again = min(bisect_right(channel.offsets, place.offset), channel.next)

    def _at(self, channel: _Channel, place: Place) -> None:
        if channel.epoch is None:
            self._enter(channel, place)
        elif channel.epoch != place.epoch:
            self._silent_epoch(channel, place, f"was told that it stands at {place}, and of no gap")
        else:
            index = bisect_right(channel.offsets, place.offset)
            if index > channel.next:
                self._skip(channel, index, f"it was told that it stands at {place}")
                channel.next = index

    def _gap(self, channel: _Channel, place: Place) -> None:
        """Forgives what has not come until then; not what was passed over before."""
        forgiven = self._judgement.forgiven
        if channel.epoch is not None and channel.epoch != place.epoch:
            epochs = self._truth.epochs
            if channel.epoch in epochs and place.epoch in epochs[: epochs.index(channel.epoch)]:
                self._say(
                    OLD_EPOCH, f"was told of a gap until {place}, and stood in {channel.epoch}", channel
                )
            forgiven[self._journal.kind] += len(channel.offsets) - channel.next
            self._enter(channel, Place(place.epoch, -1))
        elif channel.epoch is None:
            self._enter(channel, place)
        index = max(channel.next, bisect_right(channel.offsets, place.offset))
        missing = channel.offsets[channel.next : index]
        forgiven[self._journal.kind] += len(missing)
        channel.forgiven.update(missing)
        channel.next = channel.again = channel.until = index
        channel.asked = place.offset

    def _enter(self, channel: _Channel, place: Place) -> None:
        channel.epoch = place.epoch
        channel.offsets = self._truth.offsets(channel.name, place.epoch)
        channel.start = channel.next = bisect_right(channel.offsets, place.offset)
        channel.again = channel.until = channel.next
        channel.asked = place.offset
        channel.forgiven = set()

    def _silent_epoch(self, channel: _Channel, place: Place, sentence: str) -> None:
        self._say(NEW_EPOCH, f"stood in {channel.epoch}, {sentence}", channel)
        self._skip(channel, len(channel.offsets), f"it went on in {place.epoch}")
        self._enter(channel, place)

    def _skip(self, channel: _Channel, until: int, how: str) -> None:
        assert channel.epoch is not None
        for offset in channel.offsets[channel.next : until]:
            channel.skipped[Place(channel.epoch, offset)] = how

    def _end(self, channel: _Channel) -> None:
        if channel.epoch is None:
            self._say(LOST, "never began to hear anything", channel)
            return
        self._skip(channel, len(channel.offsets), "it is among the last, and nothing came after it")
        epochs = self._truth.epochs
        # Of an epoch in which nothing was promised only this is known: it is not the last.
        known = channel.epoch in epochs
        later = epochs[epochs.index(channel.epoch) + 1 :] if known else epochs[-1:]
        for epoch in later:
            for offset in self._truth.offsets(channel.name, epoch):
                channel.skipped[Place(epoch, offset)] = f"it still stood in {channel.epoch}"
        for place, how in channel.skipped.items():
            self._say(LOST, f"has not heard {self._truth.tell(place)}; {how}, and no gap covers it", channel)
