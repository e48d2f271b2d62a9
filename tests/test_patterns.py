"""Can a stranger make one of our patterns try a text in thousands of ways?

Two repetitions side by side that may match the same characters can share them in as many ways as there are
characters. Of a text that does not match at last all of them are tried: 8 KB took 0.4 s.
"""

import importlib
import pkgutil
import re
import sys
from itertools import pairwise

import pytest

parser, constants = re._parser, re._constants
REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)
MANY = 100


# Rooms where strangers' bytes are read; of all others, what is loaded.
ROOMS = ("auth", "channels", "protocol", "server.http", "wall.sources")


def patterns():
    """By where they are."""
    for room in ROOMS:
        package = importlib.import_module(f"realtime_wall.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for module in [one for name, one in sys.modules.items() if name.startswith("realtime_wall.")]:
        for name, value in vars(module).items():
            pattern = getattr(value, "__self__", value)  # of a bound match
            if isinstance(pattern, re.Pattern):
                yield f"{module.__name__}.{name}", pattern


def flat(items):
    """What follows one another, without the groups around it."""
    for operation, argument in items:
        if operation is constants.SUBPATTERN:
            yield from flat(argument[-1])
        else:
            yield operation, argument


def inside(items):
    """Every sequence in it."""
    yield list(flat(items))
    for operation, argument in flat(items):
        if operation in REPEATS or operation is constants.POSSESSIVE_REPEAT:
            yield from inside(argument[2])
        elif operation is constants.BRANCH:
            for branch in argument[1]:
                yield from inside(branch)


def characters(item):
    """Those that a repetition of one character or class may match; none of anything else."""
    operation, argument = item
    if operation not in REPEATS or argument[1] < MANY:
        return set()
    repeated = list(flat(argument[2]))
    if len(repeated) != 1 or repeated[0][0] not in (constants.IN, constants.LITERAL, constants.ANY):
        return set()
    return {code for code in range(256) if matches(repeated[0], code)}


def matches(item, code):
    operation, argument = item
    if operation is constants.ANY:
        return code != ord("\n")
    if operation is constants.LITERAL:
        return code == argument
    isnt = argument[0][0] is constants.NEGATE
    return isnt != any(is_in(one, code) for one in argument)


def is_in(one, code):
    operation, argument = one
    if operation is constants.RANGE:
        return argument[0] <= code <= argument[1]
    if operation is constants.CATEGORY:
        word = {"CATEGORY_SPACE": r"\s", "CATEGORY_DIGIT": r"\d", "CATEGORY_WORD": r"\w"}.get(str(argument))
        return word is not None and re.match(word, chr(code)) is not None
    return operation is constants.LITERAL and code == argument


def shared(pattern):
    """Of two repetitions side by side, the characters that both may have."""
    for sequence in inside(parser.parse(pattern.pattern, pattern.flags & ~re.LOCALE)):
        for one, other in pairwise(sequence):
            both = characters(one) & characters(other)
            if both:
                yield both


@pytest.mark.threat("S15")
def test_no_two_repetitions_side_by_side_share_what_they_match():
    found = dict(patterns())

    assert "realtime_wall.server.http.request_head._HEADER_LINE" in found
    assert [name for name, pattern in found.items() if list(shared(pattern))] == []


def test_one_that_does_is_found():
    assert list(shared(re.compile(rb"([a-z]+):[ \t]*([\t -~]*)\r\n")))
    assert list(shared(re.compile(r"(?:x\w*\d+)+")))
