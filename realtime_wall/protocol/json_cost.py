"""Would it take long to read this JSON?

``json.loads`` holds the event loop for as long as it takes, and a megabyte of ``[[],[],`` takes a hundred
times as long as a megabyte of text. So it is estimated first, by steps that all run in C and whose own cost
is bounded.
"""

from __future__ import annotations

# Measured: a value, a key, or the pair of brackets of a container takes 60 to 130 ns to read and to forget
# again, whatever it is; an escape, which may be half a pair of surrogates, as long, a digit up to 12.
_DIGITS_OF_A_VALUE = 8

_NUMBER = b"0123456789"
# No run of more than nineteen digits can hide from such a sample.
_EVERY = 20
_NO_STRUCTURE = bytes(set(range(256)) - set(b'[]{}",:'))
_SAME_BRACKETS = bytes.maketrans(b"{}", b"[]")


def costs_more(data: bytes, escapes: int, max_values: int) -> bool:
    """Whether reading it costs more than so many values do; ``data`` is without its escapes, that many.

    Each value counts, each key, each escape, and each container twice; eight digits count one more. What is
    no JSON is read up to its fault only: behind it more may be counted, never less.
    """
    left = max_values - escapes
    if len(data) <= left:
        return False
    structure = data.translate(_SAME_BRACKETS, _NO_STRUCTURE)
    quotes = structure.count(b'"')
    if quotes > 2 * left:  # each string is a value or a key
        return True
    if len(structure) - quotes > left:
        structure = outside_strings(structure)
        quotes = 0
    left -= len(structure) - quotes
    # In strings digits cost nothing; but that is looked at only where it matters.
    return left < 0 or (_cost_of_digits(data) > left and _cost_of_digits(outside_strings(data)) > left)


def outside_strings(data: bytes) -> bytes:
    return b"".join(data.split(b'"')[::2]) if b'"' in data else data


def _cost_of_digits(data: bytes) -> int:
    sample = data[::_EVERY]
    return (len(sample) - len(sample.translate(None, _NUMBER))) * _EVERY // _DIGITS_OF_A_VALUE
