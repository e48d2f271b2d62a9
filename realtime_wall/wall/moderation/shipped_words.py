"""The words that come with the wall: a beginning, in six languages, for an organiser to change.

They are in files, one phrase a line, and hold for a wall once somebody has added them to it.
"""

from __future__ import annotations

from pathlib import Path

from realtime_wall.wall.models import Phrase, Wall

FOLDER = Path(__file__).parent.parent / "word_lists"


def shipped_words() -> list[str]:
    """Of all languages; a word that two have in common once."""
    lines = (line for file in sorted(FOLDER.glob("*.txt")) for line in file.read_text("utf-8").splitlines())
    return list({line.casefold(): line for line in map(str.strip, lines) if line}.values())


def add_shipped_words(wall: Wall) -> int:
    """To those of a wall; how many it did not have."""
    known = {text.casefold() for text in wall.phrases.values_list("text", flat=True)}
    new = [word for word in shipped_words() if word.casefold() not in known]
    Phrase.objects.bulk_create([Phrase(wall=wall, text=word) for word in new])
    return len(new)
