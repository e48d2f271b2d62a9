"""Which of many terms does a text have? A thousand terms cost a text as much as the words it has.

A term is a word, a ``#hashtag``, or several words that follow each other. Case and accents do not
matter. A word is found in a hashtag too; a hashtag only as a hashtag. Where writing has no blanks
between words (Chinese, Japanese, Thai), or a term has no letters at all, any part of the text will do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

_WORD = re.compile(r"#?\w+")
_NO_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class _Term(Generic[Key]):
    key: Key
    words: tuple[str, ...]
    is_tag: bool


class Matcher(Generic[Key]):
    def __init__(self) -> None:
        self._by_first_word: dict[str, dict[Key, _Term[Key]]] = {}
        self._parts: dict[Key, str] = {}
        self._first_words: dict[Key, str] = {}

    def __len__(self) -> int:
        return len(self._parts) + len(self._first_words)

    def add(self, key: Key, term: str) -> None:
        """Look for a term from now on; it takes the place of an earlier one with this key."""
        self.remove(key)
        folded = fold(term)
        words = _words(folded)
        if not words or _NO_BLANKS.search(folded):
            self._parts[key] = " ".join(folded.split())
            return
        first = words[0].lstrip("#")
        found = _Term(key, (first, *(word.lstrip("#") for word in words[1:])), words[0].startswith("#"))
        self._by_first_word.setdefault(first, {})[key] = found
        self._first_words[key] = first

    def remove(self, key: Key) -> None:
        self._parts.pop(key, None)
        first = self._first_words.pop(key, None)
        if first is not None:
            terms = self._by_first_word[first]
            del terms[key]
            if not terms:
                del self._by_first_word[first]

    def matches(self, text: str, hashtags: Iterable[str] = ()) -> set[Key]:
        """The keys whose terms are in the text; ``hashtags`` are some that the text need not show."""
        folded = fold(" ".join([text, *(f"#{tag.lstrip('#')}" for tag in hashtags)]))
        words = _words(folded)
        found = {key for key, part in self._parts.items() if part and part in folded}
        bare = [word.lstrip("#") for word in words]
        for place, word in enumerate(bare):
            for term in self._by_first_word.get(word, {}).values():
                if term.is_tag and not words[place].startswith("#"):
                    continue
                if tuple(bare[place : place + len(term.words)]) == term.words:
                    found.add(term.key)
        return found


def fold(text: str) -> str:
    """Without case and accents, so that it can be compared."""
    if text.isascii():
        return text.lower()
    taken_apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in taken_apart if not unicodedata.combining(letter))


def _words(folded: str) -> list[str]:
    return _WORD.findall(folded)
