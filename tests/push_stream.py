"""Which examples nginx push stream has of itself, and what proves each here: tests/push_stream.txt."""

from dataclasses import dataclass
from functools import cache

from tests import features

TABLE = features.ROOT / "tests/push_stream.txt"
# Where a proof names no file.
FILE = "tests/conformance/test_push_stream.py"


@dataclass(frozen=True)
class Row:
    suite: str
    number: int  # in its suite
    fact: str
    proofs: tuple[str, ...]
    reason: str  # why there is none

    def missing(self) -> list[str]:
        return [proof for proof in self.proofs if not features.exists(proof)]


@cache
def rows() -> list[Row]:
    found: list[Row] = []
    suite, number = "", 0
    for line in TABLE.read_text().splitlines():
        if line.startswith("["):
            suite, number = line[1:-1], 0
        elif line and not line.startswith("#"):
            number += 1
            fact, _, proof = line.partition(" | ")
            reason = proof.removeprefix("> ") if proof.startswith("> ") else ""
            proofs = (
                [] if reason else [one if "::" in one else f"{FILE}::test_{one}" for one in proof.split()]
            )
            found.append(Row(suite, number, fact, tuple(proofs), reason))
    return found
