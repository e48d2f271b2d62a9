"""How Sphinx makes a site of these pages: ``make docs``.

The pages name each other as ``docs/howto/wall.rst``, which reads well where they are read as they are. Here
such a name becomes a link, and one of a page that is not there a warning, as any dead link inside the site.
"""

import sys
from pathlib import Path

import django
from django.conf import settings
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

# What the docstrings are read from; the test that builds this is a project already.
if not settings.configured:
    settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "realtime_wall"])
    django.setup()

project = "realtime_wall"
copyright = "the realtime_wall contributors"
extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Realtime for ordinary Django",
    "fixed_sidebar": True,
    "page_width": "70rem",
    "sidebar_width": "16rem",
}
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100
highlight_language = "text"

# A name of ours that leads nowhere is a warning. Types of others, and of the inside, are no links.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!realtime_wall\b).*"), (r"py:.*", r"realtime_wall\.\w+\..*\w")]


class NamedPages(SphinxTransform):
    """Links to the pages that are named as files."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext()
            if name.startswith("docs/") and name.endswith(".rst"):
                literal.replace_self(self._link(name.removeprefix("docs/").removesuffix(".rst"), literal))

    def _link(self, page: str, literal: nodes.literal) -> nodes.Node:
        if page not in self.env.found_docs:
            logging.getLogger(__name__).warning("no page docs/%s.rst", page, location=literal)
        link = addnodes.pending_xref(
            "", reftype="doc", refdomain="std", refexplicit=False, reftarget=f"/{page}", refwarn=True
        )
        return link + nodes.inline("", page, classes=["doc"])


def setup(app):
    app.add_transform(NamedPages)
