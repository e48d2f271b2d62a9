"""One word for one thing, the one that the field uses: a retired word comes back into no identifier.

docs/reference/glossary.rst has the words that are used, docs/decisions/0023 why they were changed.
"""

import re
from pathlib import Path
from textwrap import dedent

from tests.package_source import PACKAGE, PATHS, read

TESTS = Path(__file__).parent
GLOSSARY = TESTS.parent / "docs" / "reference" / "glossary.rst"

# By the word that stands in its place.
RETIRED = {
    "session": "visit visits",
    "detach, resume, expire": "parking parked park lot",
    "handshake, fd passing": "door doors",
    "drain": "farewell farewells goodbye goodbyes",
    "notify, send, report, publish": "tell tells telling told untold say says saying sayings said unsaid",
    "connection, script call": "talk talks",
    "time slice": "breath breathe",
    "threadpool": "aside beside",
    "roster": "roll",
    "leader, join order": "teller seniors",
    "presence change": "flip",
    "malformed": "rubbish",
    "timer wheel": "clockwork ticking",
    "revocation": "departures",
    "joined, left": "came went",
    "outage": "trouble",
    "transport, adapter": "road roads",
}
WORDS = {word: instead for instead, words in RETIRED.items() for word in words.split()}
# "here" is a place; what it stood for is a node.
NAMES = {"here": "node"}

PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def retired_in(path):
    names = read(path).names
    parts = {part.lower() for name in names for part in PART.findall(name)}
    return (parts & WORDS.keys()) | (names & NAMES.keys())


# Of all files at once: a test for each would take longer to be made and reported than it looks.
def test_identifiers_have_the_words_of_the_field():
    back = [
        f"{path.relative_to(PACKAGE)}: {word}, write { ({**WORDS, **NAMES}[word]) }"
        for path in PATHS
        for word in sorted(retired_in(path))
    ]

    assert back == []


def test_a_retired_word_is_found_wherever_it_is_named(tmp_path):
    source = """
        class TellAll:
            def __init__(self, door): self._said = 1
        for visit in doorways: visitors = 2
        import a as roll
    """
    (tmp_path / "breath.py").write_text(dedent(source))

    assert retired_in(tmp_path / "breath.py") == {"tell", "door", "said", "visit", "roll", "breath"}


# Nouns that are nothing but the old dialect, in prose too. The decision about words quotes some.
NOUNS = re.compile(r"\b(visits?|side doors?|farewells?|goodbyes?|parking lot|roll call|tellers?|clockwork)\b")
PAGES = [*(TESTS.parent / "docs").rglob("*.rst"), *TESTS.parent.glob("*.rst")]


def test_pages_have_the_words_of_the_field():
    old = {page: NOUNS.findall(page.read_text()) for page in PAGES if "0023" not in page.name}

    assert old and {page.name: nouns for page, nouns in old.items() if nouns} == {}


def test_the_glossary_is_one_page_and_knows_no_retired_word():
    text = GLOSSARY.read_text()
    rows = re.findall(r"^([a-z][a-z, -]*?)  +", text, re.M)
    used = {word for row in rows for word in row.split(", ")}

    assert len(text.splitlines()) <= 40
    assert len(used) >= 20
    assert not used & WORDS.keys()
