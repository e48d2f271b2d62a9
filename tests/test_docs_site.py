"""The documentation is a site: no warning, no dead link inside, every public name in the reference.

It is built without writing pages, which is half of the time; ``make docs`` writes them.
"""

import inspect
import io
import warnings
from importlib import import_module

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from realtime_wall import signals
from tests.live import ROOT

DOCS = ROOT / "docs"
LISTED = [f"realtime_wall{name}" for name in ("", ".api", ".cluster", ".events", ".testing")]
DEFINED = [f"realtime_wall.{name}" for name in ("errors", "answers")]


def build(source, folder):
    """Sphinx's environment, and what it has warned of."""
    said = io.StringIO()
    with warnings.catch_warnings(), patch_docutils(str(DOCS)), docutils_namespace():
        warnings.simplefilter("ignore")  # of what Sphinx itself uses
        app = Sphinx(source, DOCS, folder / "html", folder / "doctrees", "dummy", status=None, warning=said)
        app.build(force_all=True)
    return app.env, said.getvalue()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(DOCS, tmp_path_factory.mktemp("site"))


def public_names():
    for name in LISTED:
        yield from ((name, listed) for listed in import_module(name).__all__)
    for name in DEFINED:
        module = import_module(name)
        for defined, value in vars(module).items():
            if inspect.getmodule(value) is module and not defined.startswith("_"):
                yield name, defined
    for name, value in vars(signals).items():
        if isinstance(value, signals.Signal | signals.SignalsByName):
            yield "realtime_wall.signals", name


def places_of(home, name):
    """Where it may be described: a name with several homes is at one of them."""
    value = getattr(import_module(home), name)
    yield f"{home}.{name}"
    yield f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
    for other in (*LISTED, *DEFINED):
        if getattr(import_module(other), name, None) is value:
            yield f"{other}.{name}"


def test_the_site_is_built_without_a_warning(site):
    assert site[1] == ""


def test_every_public_name_is_in_the_reference(site):
    documented = site[0].domaindata["py"]["objects"].keys()

    missing = [
        f"{home}.{name}" for home, name in public_names() if not documented & set(places_of(home, name))
    ]

    assert missing == []
    assert len(list(public_names())) > 80


def test_what_leads_nowhere_is_a_warning(tmp_path):
    dead = ("``docs/howto/gone.rst``", ":doc:`gone`", ":ref:`gone`", ":func:`realtime_wall.boadcast`")
    (tmp_path / "index.rst").write_text("Page\n====\n\n" + "\n\n".join(dead) + "\n\n.. image:: gone.svg\n")

    warned = build(tmp_path, tmp_path / "built")[1]

    assert len(warned.splitlines()) >= len(dead) + 1, warned
    for lost in ("docs/howto/gone.rst", "document: 'gone'", "'gone'", "realtime_wall.boadcast", "gone.svg"):
        assert lost in warned
