import pytest

from realtime_wall.wall.moderation.phrase_matcher import matcher_of

MATCHER = matcher_of((("idiot", False), ("bad luck", False), ("ass", False), ("Blödmann", False)))


@pytest.mark.parametrize(
    "text",
    [
        "@idiot hi",
        "1D10T",
        "i d i o t",
        "i.d-i.o.t",
        "IDIOOOOT",
        "ídïöt",
        "idi\u200bot",
        "іdіоt",
        "ⓘⓓⓘⓞⓣ",
        "ＩＤＩＯＴ",
        "id#iot idiot",
        "BAD  \n luck",
        "Blodmann",
        "a$$",
    ],
)
def test_a_word_is_found_however_it_is_spelt(text):
    assert MATCHER.find(text)


@pytest.mark.parametrize("text", ["", "classic", "idiotic", "bad and luck", "a b c", "2026", "x" * 100_000])
def test_a_word_is_found_as_a_word(text):
    assert MATCHER.find(text) == ""


def test_what_was_found_is_named_as_it_was_written_down():
    assert MATCHER.find("so ein BLÖDMANN") == "Blödmann"


def test_without_words_nothing_is_found():
    assert matcher_of(()).find("idiot") == ""
    assert matcher_of((("...", False),)).find("idiot") == ""
