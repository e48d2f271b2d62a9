"""How are statistics written: for people, and for programs that read JSON, XML or YAML?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from realtime_wall.node.introspection.statistics import Figures
from realtime_wall.protocol.json_output import encode_json

_WORDS = {"subscribers": "active_subscribers"}
# What one of the things in a list is called, where each has an element of its own.
_ONE_OF = {"infos": "channel", "by_worker": "worker"}


def as_text(figures: Figures) -> str:
    """For people: a line for each number, an empty one between channels."""
    parts = [_lines({key: value for key, value in figures.items() if key not in _ONE_OF})]
    parts.extend(map(_lines, figures.get("infos", ())))
    return "\r\n".join(parts)


def _lines(figures: Figures) -> str:
    return "".join(f"{_WORDS.get(key, key)}: {value}\r\n" for key, value in figures.items())


def as_xml(figures: Figures) -> str:
    root = ElementTree.Element("root")
    _add(root, figures)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _add(parent: ElementTree.Element, figures: Figures) -> None:
    for key, value in figures.items():
        # In a list of channels, a channel is an element and has a name.
        element = ElementTree.SubElement(parent, "name" if key == parent.tag else key)
        if isinstance(value, list):
            for one in value:
                _add(ElementTree.SubElement(element, _ONE_OF[key]), one)
        else:
            element.text = str(value)


def as_yaml(figures: Figures) -> str:
    """Scalars are written as in JSON, of which YAML 1.2 is a superset."""
    return "".join(f"{line}\n" for line in _yaml(figures))


def _yaml(figures: Figures) -> Iterator[str]:
    for key, value in figures.items():
        if not isinstance(value, list):
            yield f"{key}: {encode_json(value)}"
            continue
        yield f"{key}:" if value else f"{key}: []"
        for one in value:
            for number, line in enumerate(_yaml(one)):
                yield f"{'    ' if number else '  - '}{line}"


# By what ``Accept`` says, the first one for who accepts anything, and by what ``?format=`` says.
WRITERS: dict[str, Callable[[Figures], str]] = {
    "application/json": encode_json,
    "text/x-json": encode_json,
    "text/plain": as_text,
    "application/xml": as_xml,
    "text/xml": as_xml,
    "application/yaml": as_yaml,
    "application/x-yaml": as_yaml,
    "text/yaml": as_yaml,
    "text/x-yaml": as_yaml,
}
BY_NAME = {
    "json": "application/json",
    "text": "text/plain",
    "xml": "application/xml",
    "yaml": "application/yaml",
}


def content_type(name: str, preferred: str | None) -> str | None:
    """For the name of a format, or else for what is preferred; None for a name that is none."""
    if name:
        return BY_NAME.get(name)
    return preferred if preferred in WRITERS and preferred != "text/x-json" else "application/json"


def written(figures: Any, content_type: str) -> str:
    return WRITERS[content_type](figures)
