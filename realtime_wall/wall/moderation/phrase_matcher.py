"""Does a text have one of these words in it, however it is spelt?

Both are folded before they are compared: compatible forms (NFKC), case, accents, what cannot be seen, and
letters that look like others (a Cyrillic а, a 0 for an o). Letters that stand apart, as in "s.p.a.m", are
read together. A word is found as a word: "ass" is not in "class". What is caught only waits for somebody to
look at it, so to be caught by mistake costs little.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Small: what people write to get past a list. Of Cyrillic, Greek, digits and signs.
_LOOK_ALIKES = str.maketrans(
    "асеорхукмтвнігɑοαερτυικνωβη0134578€ıłøđ",
    "aceopxykmtbhiraoaeptuiknwbhoieastbeilod",
)
_AT, _DOLLAR = re.compile(r"(?<=[^\W\d])@(?=\w)"), re.compile(r"(?<=[^\W\d])\$+|\$+(?=[^\W\d])")
_APART = re.compile(r"(?<!\w)\w(?:[\W_]{1,2}\w(?!\w)){2,}")
_NOT_WORDS = re.compile(r"[\W_]+")
_REPEATED = re.compile(r"(.)\1{2,}")


class PhraseMatcher:
    def __init__(self, banned: dict[str, str], allowed: list[str]) -> None:
        self._banned = banned  # as it was written, by what it is folded to
        self._finds = _one_of(list(banned))
        self._allows = _one_of(allowed)

    def find(self, text: str) -> str:
        """The banned words that are in it, as somebody has written them down; nothing if there are none."""
        if self._finds is None:
            return ""
        for folded in _readings(text):
            if self._allows is not None:
                folded = self._allows.sub(" ", folded)
            found = self._finds.search(folded)
            if found:
                return self._banned[found[0]]
        return ""


@lru_cache(64)
def matcher_of(phrases: tuple[tuple[str, bool], ...]) -> PhraseMatcher:
    """Of (words, whether they are allowed)."""
    banned = {fold_words(text): text for text, is_allowed in phrases if not is_allowed}
    banned.pop("", None)
    return PhraseMatcher(banned, [fold_words(text) for text, is_allowed in phrases if is_allowed])


def fold_words(text: str) -> str:
    """Words of plain letters with one blank between."""
    return _NOT_WORDS.sub(" ", _plain(text)).strip()


def _readings(text: str) -> tuple[str, ...]:
    plain = _plain(text)
    together = _APART.sub(lambda found: _NOT_WORDS.sub("", found[0]), plain)
    readings = (plain,) if together == plain else (plain, together)
    return tuple(_NOT_WORDS.sub(" ", reading) for reading in readings)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _DOLLAR.sub(lambda found: "s" * len(found[0]), _AT.sub("a", text))
    # Marks upon letters, and what takes no room: joiners, soft hyphens, directions.
    letters = (one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one) not in UNSEEN)
    plain = unicodedata.normalize("NFC", "".join(letters)).translate(_LOOK_ALIKES)
    return _REPEATED.sub(r"\1", plain)


UNSEEN = ("Mn", "Me", "Cf")


def _one_of(folded: list[str]) -> re.Pattern[str] | None:
    # The longest first: of "bad" and "bad luck" the whole is named.
    words = sorted(filter(None, folded), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)") if words else None
