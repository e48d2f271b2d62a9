"""The catalogues of the wall: complete, compiled, and with the places that the words are put into."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import translation
from django.utils.translation.template import templatize

import realtime_wall.wall

WALL = Path(realtime_wall.wall.__file__).parent
LOCALES = WALL / "locale"
LANGUAGES = sorted(folder.name for folder in LOCALES.iterdir())
ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', re.M)
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
# Django makes of a template what looks like a program.
SAID = re.compile(r"""(?:\b_|gettext)\((u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))""")
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
    assert LANGUAGES == ["de", "es", "fr"]
    first, *others = ([entry["msgid"] for entry in entries(language)] for language in LANGUAGES)
    assert others == [first, first]


def test_no_sentence_of_a_page_of_the_admin_or_of_a_script_is_untranslated():
    """Whoever writes one adds it to each catalogue; and takes out one that nobody says any more."""
    said = set()
    for file in WALL.rglob("*.py"):
        if "migrations" not in file.parts:
            said |= set(said_in_python(file.read_text()))
    for file in WALL.rglob("*.html"):
        said |= set(said_in_a_template(file.read_text()))

    assert said == {entry["msgid"] for entry in entries("de")}


def said_in_python(code):
    """What is given to one of gettext's functions."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in GETTEXT and isinstance(node.args[0].value, str):
                yield node.args[0].value


def said_in_a_template(template):
    for match in SAID.finditer(templatize(template)):
        yield ast.literal_eval(match[1])


def test_a_page_is_in_the_visitors_language(database):
    middleware = ["django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware"]
    # The middleware leaves the language of its thread as the visitor's.
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware), translation.override("en"):
        page = Client().get("/wall/report/", headers={"accept-language": "de"}).content.decode()

    assert '<html lang="de"' in page
    assert "In dieser Zeit wurde nichts geschrieben." in page
