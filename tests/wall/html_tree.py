"""A page as a tree of its elements, for tests to look at."""

from html.parser import HTMLParser


class Element:
    def __init__(self, tag, attributes):
        self.tag = tag
        self.attributes = dict(attributes)
        self.children = []

    def find(self, tag=None, **attributes):
        """Every element inside, in order, with these attributes (``class_`` for class)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        for child in self.children:
            if isinstance(child, Element):
                if tag in (None, child.tag) and wanted.items() <= child.attributes.items():
                    yield child
                yield from child.find(tag, **attributes)

    @property
    def text(self):
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def outline(self):
        """The element as plain data; blanks between the parts of a card mean nothing."""
        parts = [child if isinstance(child, str) else child.outline() for child in self.children]
        if self.tag == "li":
            parts = [part for part in parts if not (isinstance(part, str) and not part.strip())]
        return [self.tag, dict(sorted(self.attributes.items())), parts]


class TreeBuilder(HTMLParser):
    VOID = ("img", "link", "meta", "input", "br")

    def __init__(self, html):
        super().__init__()
        self.root = Element("root", [])
        self._open = [self.root]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        element = Element(tag, attributes)
        self._open[-1].children.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        while len(self._open) > 1 and self._open.pop().tag != tag:
            pass

    def handle_data(self, data):
        siblings = self._open[-1].children
        if siblings and isinstance(siblings[-1], str):
            siblings[-1] += data
        else:
            siblings.append(data)


def tree(html):
    return TreeBuilder(html).root
