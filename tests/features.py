"""Which features there are, and what proves each: the page of features is written from tests/features.txt."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "tests/features.txt"
PAGE = ROOT / "docs/reference/features.rst"
STATES = ("works", "partly", "not", "declined")
HEAD = """\
Features, and what proves each
==============================

{total} features that systems like this one have, or that people ask of them. {works} work, each with a
test; {partly} work partly, {declined} are declined and {not_yet} are not there. This page is written by
``python -m tests.features`` from ``tests/features.txt``; the suite fails where it is out of date, or where
a test that it names is gone.
"""


@dataclass(frozen=True)
class Row:
    number: int
    state: str
    what: str
    proofs: tuple[str, ...]
    reason: str


def sections(path: Path = TABLE) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            found[line[4:]] = []
        elif line and not line.startswith("#"):
            number, state, what, proofs, reason = line.split("|")
            row = Row(int(number), state, what, tuple(proofs.split()), reason)
            found[list(found)[-1]].append(row)
    return found


@cache
def tests_of(path: Path) -> frozenset[str]:
    """The names of a file's tests, those in classes too."""
    names = (node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def exists(node_id: str) -> bool:
    path, _, name = node_id.partition("::")
    return (ROOT / path).is_file() and name in tests_of(ROOT / path)


def page() -> str:
    found = sections()
    rows = [row for part in found.values() for row in part]
    counts = {state: sum(row.state == state for row in rows) for state in STATES}
    lines = [HEAD.format(total=len(rows), not_yet=counts["not"], **counts)]
    for title, part in found.items():
        lines += [title, "-" * len(title), ""]
        for row in part:
            lines.append(f"* **{row.number}** {row.what}{_remark(row)}")
            lines += [f"  ``{proof}``" for proof in row.proofs]
        lines.append("")
    return "\n".join(lines)


def _remark(row: Row) -> str:
    if row.state == "works":
        return ":"
    word = {"partly": "partly", "not": "not there", "declined": "declined"}[row.state]
    return f" (*{word}*: {row.reason})" + (":" if row.proofs else "")


if __name__ == "__main__":
    PAGE.write_text(page())
