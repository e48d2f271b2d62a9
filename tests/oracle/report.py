"""The figures of a run as a table, and the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle.journal import Attempt, CaughtUp, DisconnectUser, Journal, Refused
from tests.oracle.judge import Judgement

SHOWN = 20


@dataclass(frozen=True)
class Report:
    attempts: Sequence[Attempt]
    journals: Sequence[Journal]
    judgement: Judgement
    cpu: float = 0.0  # of the clients' processes

    @property
    def outcomes(self) -> Counter[str]:
        """How many messages, by what became of the last attempt."""
        return Counter({one.number: one.outcome for one in self.attempts}.values())

    @property
    def gaps(self) -> int:
        return sum(self.judgement.gaps.values())

    def events(self, kind: type, way: str | None = None) -> list:
        return [
            event
            for journal in self.journals
            if way in (None, journal.kind)
            for event in journal.events
            if isinstance(event, kind)
        ]

    @property
    def refusals(self) -> Counter[str]:
        return Counter(event.why for event in self.events(Refused))

    def caught_up(self, share: float, way: str | None = None) -> float:
        """Within so many seconds after it was cut this share of the clients had all that it had missed."""
        times = sorted(event.seconds for event in self.events(CaughtUp, way))
        return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0

    def table(self) -> str:
        judged = self.judgement
        lines = [
            "published: " + ", ".join(f"{count} {what}" for what, count in sorted(self.outcomes.items()))
            + f", in {len(self.attempts)} attempts",
            f"{'':<10}{'clients':>8}{'heard':>9}{'again':>7}{'gaps':>6}{'missed':>8}{'cuts':>7}"
            f"{'refused':>9}{'caught up p50':>15}{'p99':>8}{'most':>8}",
        ]  # fmt: skip
        for way in sorted({journal.kind for journal in self.journals}):
            clients = sum(journal.kind == way for journal in self.journals)
            lines.append(
                f"{way:<10}{clients:>8}{judged.deliveries[way]:>9}{judged.duplicates[way]:>7}"
                f"{judged.gaps[way]:>6}{judged.forgiven[way]:>8}{len(self.events(DisconnectUser, way)):>7}"
                f"{len(self.events(Refused, way)):>9}{self.caught_up(0.5, way):>13.2f} s"
                f"{self.caught_up(0.99, way):>6.2f} s{self.caught_up(1, way):>6.2f} s"
            )
        for title, found in (
            ("refused", self.refusals),
            ("cut", Counter(event.why for event in self.events(DisconnectUser))),
            ("not published", Counter(one.why[:60] for one in self.attempts if one.why)),
        ):
            if found:
                lines.append(
                    f"{title}: " + ", ".join(f"{count} {why}" for why, count in found.most_common(6))
                )
        return "\n".join(lines)

    def verdicts(self) -> str:
        found = self.judgement.verdicts
        if not found:
            return "nothing was lost in silence, doubled, or told out of order"
        kinds = Counter(verdict.kind for verdict in found)
        lines = [f"{len(found)} verdicts: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())]
        shown: Counter[str] = Counter()
        for verdict in found:
            shown[verdict.kind] += 1
            if shown[verdict.kind] <= SHOWN // len(kinds) + 1:
                lines.append("  " + verdict.sentence)
        return "\n".join(lines)
