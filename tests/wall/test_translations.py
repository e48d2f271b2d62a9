"""The catalogues of the wall: complete, compiled, and with the places that the words are put into."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import translation

import realtime_wall.wall

LOCALES = Path(realtime_wall.wall.__file__).parent / "locale"
LANGUAGES = sorted(folder.name for folder in LOCALES.iterdir())
ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', re.M)
PLACES = re.compile(r"\{\}|%\(\w+\)s|</?bdi>")

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]


def entries(language):
    """Each as {msgid: ..., msgstr: ...}; the first one, which has the head, left out."""
    text = (LOCALES / language / "LC_MESSAGES/django.po").read_text()
    blocks = [dict(ENTRY.findall(block)) for block in text.split("\n\n")]
    return [{key: ast.literal_eval(f"({value})") for key, value in block.items()} for block in blocks[1:]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_its_places(language):
    for entry in entries(language):
        source = entry.get("msgid_plural", entry["msgid"])
        for key, translated in entry.items():
            if key.startswith("msgstr"):
                singular = key == "msgstr[0]"
                wanted = set() if singular else set(PLACES.findall(source))
                assert translated, entry["msgid"]
                assert set(PLACES.findall(translated)) >= wanted, entry["msgid"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    """After a change: ``msgfmt -o django.mo django.po``."""
    with open(LOCALES / language / "LC_MESSAGES/django.mo", "rb") as file:
        compiled = gettext.GNUTranslations(file)

    for entry in entries(language):
        if "msgid_plural" in entry:
            for number, key in ((1, "msgstr[0]"), (2, "msgstr[1]")):
                assert compiled.ngettext(entry["msgid"], entry["msgid_plural"], number) == entry[key]
        else:
            assert compiled.gettext(entry["msgid"]) == entry["msgstr"]


def test_every_language_has_the_same_sentences():
    assert LANGUAGES == ["de", "fr"]
    german, french = ([entry["msgid"] for entry in entries(language)] for language in LANGUAGES)
    assert german == french


def test_a_page_is_in_the_visitors_language(database):
    middleware = ["django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware"]
    # The middleware leaves the language of its thread as the visitor's.
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware), translation.override("en"):
        page = Client().get("/wall/report/", headers={"accept-language": "de"}).content.decode()

    assert '<html lang="de"' in page
    assert "In dieser Zeit wurde nichts geschrieben." in page
