"""What the documentation shows is true: its blocks run, its settings are the real ones.

Python, templates and scripts run here, commands in tests/integration/test_docs_commands.py.
"""

import re
import subprocess
import sys
import types
from dataclasses import fields

import pytest
from django.template import engines
from django.urls import resolve

from realtime_wall import signals
from realtime_wall.config import Config
from realtime_wall.events import published_receivers
from realtime_wall.typed_events import declared
from tests.fakes import forgotten_model_receivers
from tests.live import ROOT

PAGES = sorted([ROOT / "README.rst", *(ROOT / "docs").rglob("*.rst")])
ALL_SIGNALS = [value for value in vars(signals).values() if isinstance(value, signals.Signal)]


def blocks(language):
    """The pages' blocks in a language, each with the name of its page."""
    pattern = re.compile(rf"\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)")
    for page in PAGES:
        for number, match in enumerate(pattern.finditer(page.read_text() + "\n")):
            code = re.sub(r"^    ", "", match[1], flags=re.M)
            yield pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.fixture
def forgotten_receivers():
    """Receivers that a page connects are gone afterwards."""
    kept = [(signal, dict(signal.receivers)) for signal in ALL_SIGNALS]
    names = set(signals.socket_client_event_by_type)
    published, events = list(published_receivers), dict(declared.registry)
    with forgotten_model_receivers():
        yield
    published_receivers[:] = published
    declared.registry.clear()
    declared.registry.update(events)
    for signal, receivers in kept:
        for receiver in list(signal.receivers.values()):
            if receiver not in receivers.values():
                signal.disconnect(receiver() if hasattr(receiver, "__callback__") else receiver)
    for name in set(signals.socket_client_event_by_type) - names:
        del signals.socket_client_event_by_type[name]


@pytest.mark.parametrize("code", list(blocks("python")))
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


@pytest.mark.parametrize("code", list(blocks("html")))
def test_a_template_of_the_docs_can_be_used_as_it_stands(code):
    template = engines["django"].from_string(code)

    if "{% extends" not in code and "{% render_tweets" not in code:  # these need a database
        assert "<script" in template.render({})


@pytest.mark.node
@pytest.mark.parametrize("code", list(blocks("javascript")))
def test_a_script_of_the_docs_runs(code):
    program = ROOT / "tests/js/docs_block.js"

    run = subprocess.run(["node", program], input=code, capture_output=True, text=True, timeout=60)

    assert run.returncode == 0, run.stderr


def test_an_address_of_channels_that_is_named_exists():
    for page in PAGES:
        for address in re.findall(r"``(events/\w+/[\w/]*)``", page.read_text()):
            assert resolve(f"/{address}a"), f"{page.name} names {address}"


def test_what_there_is_of_push_stream_is_not_called_missing():
    page = (ROOT / "docs/howto/upgrade.rst").read_text()

    rows = page[page.index("From nginx push stream") :]

    assert "not yet" not in rows
    assert all(f"``events/{kind}/a``" in rows for kind in ("ev", "sub", "lp", "poll", "pub", "ws"))


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
