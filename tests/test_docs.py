"""What the documentation shows is true: its Python runs, its settings are the real ones."""

import re
import sys
import types
from dataclasses import fields

import pytest

from realtime_wall import signals
from realtime_wall.config import Config
from realtime_wall.events import published_receivers
from tests.fakes import forgotten_model_receivers
from tests.live import ROOT

PAGES = sorted([ROOT / "README.rst", *(ROOT / "docs").rglob("*.rst")])
BLOCK = re.compile(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)")
ALL_SIGNALS = [value for value in vars(signals).values() if isinstance(value, signals.Signal)]


def blocks():
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text() + "\n")):
            code = re.sub(r"^    ", "", match[1], flags=re.M)
            yield pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.fixture
def forgotten_receivers():
    """Receivers that a page connects are gone afterwards."""
    kept = [(signal, dict(signal.receivers)) for signal in ALL_SIGNALS]
    names = set(signals.socket_client_event_by_type)
    published = list(published_receivers)
    with forgotten_model_receivers():
        yield
    published_receivers[:] = published
    for signal, receivers in kept:
        for receiver in list(signal.receivers.values()):
            if receiver not in receivers.values():
                signal.disconnect(receiver() if hasattr(receiver, "__callback__") else receiver)
    for name in set(signals.socket_client_event_by_type) - names:
        del signals.socket_client_event_by_type[name]


@pytest.mark.parametrize("code", list(blocks()))
def test_a_python_block_of_the_docs_runs(code, forgotten_receivers):
    # A module, so that weak receivers and Django's import paths find a real one.
    module = types.ModuleType("a_page_of_the_docs")
    vars(module).update(INSTALLED_APPS=[], MIDDLEWARE=[], urlpatterns=[])
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, "docs", "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]

    assert code.strip()


def test_every_setting_is_documented_with_its_default():
    page = (ROOT / "docs/reference/settings.rst").read_text()

    documented = dict(re.findall(r"^``([A-Z_]+)``\n    Default ``(.*?)``\.", page, re.M))

    defaults = {item.name.upper(): repr(getattr(Config(), item.name)) for item in fields(Config)}
    assert documented == defaults


def test_every_signal_is_documented():
    page = (ROOT / "docs/reference/signals.rst").read_text()

    missing = [signal.name for signal in ALL_SIGNALS if f"``{signal.name}``" not in page]

    assert missing == []


def test_a_page_that_is_named_exists():
    for page in [*PAGES, ROOT / "CONTRIBUTING.rst"]:
        for name in re.findall(r"``(docs/[\w./-]+?)``", page.read_text()):
            assert (ROOT / name).exists(), f"{page.name} names {name}"
