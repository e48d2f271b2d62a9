"""The table of attacks, docs/reference/threats.rst: what it says is tested, and what is tested is in it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from realtime_wall.config import Config
from realtime_wall.wall.options import Options

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "realtime_wall"
TABLE = TESTS.parent / "docs" / "reference" / "threats.rst"
ROW = re.compile(r"   \* - (S\d\d)\n     - (.+)\n     - (.+)\n")
# In a script's test it stands in a comment.
MARK = re.compile(r"\bmark\.threat\(([^)]*)\)")
OF_DJANGO = {"ALLOWED_HOSTS", "SECRET_KEY"}
OF_A_CHANNEL = {"PRESENCE"}

ROWS = {number: (attack, answer) for number, attack, answer in ROW.findall(TABLE.read_text())}


def marked():
    """Each id that a test carries, and the file of the test."""
    for path in [*TESTS.rglob("test_*.py"), *TESTS.rglob("*.test.js")]:
        for arguments in MARK.findall(path.read_text()):
            for number in re.findall(r"\"(\w+)\"", arguments):
                yield number, path


def test_all_68_are_there():
    assert list(ROWS) == [f"S{number:02}" for number in range(1, 69)]


def test_each_has_a_test_that_carries_its_id_or_says_why_not():
    tested = {number for number, _ in marked()}

    for number, (_, answer) in ROWS.items():
        assert (number in tested) is not ("No test:" in answer), number


def test_what_a_test_carries_is_in_the_table():
    assert {number for number, _ in marked()} <= ROWS.keys()


def test_the_limits_that_are_named_are_settings():
    known = (
        {item.name.upper() for kind in (Config, Options) for item in fields(kind)} | OF_DJANGO | OF_A_CHANNEL
    )
    named = set(re.findall(r"``([A-Z][A-Z_]{3,})``", TABLE.read_text()))

    assert named <= known | OF_DJANGO | OF_A_CHANNEL


@pytest.mark.threat("S58")
def test_nothing_of_the_package_reads_pickles():
    """Whoever can write to a socket, or to Redis, would run code of his own by it."""
    assert not [
        path for path in PACKAGE.rglob("*.py") if re.search(r"\b(pickle|marshal|shelve)\b", path.read_text())
    ]
