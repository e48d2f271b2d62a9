"""How does a wall look? What its organiser has set, and in its place what the page's address asks for.

``/wall/?layout=grid&accent=ff8800&without=time,badge`` is for one screen that is to look otherwise. What
makes no sense there is left as it was set: a screen shows something in any case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from realtime_wall.wall.models import Wall
from realtime_wall.wall.pages.card import safe_url, usual_badges
from realtime_wall.wall.pages.layout import hashtag_of, title_of
from realtime_wall.wall.stage.contrast import THEMES, below_aa, is_colour, palette, properties
from realtime_wall.wall.stage.tables import Font, Layout, Look, Part, Theme

Values = dict[str, Any]
COLOURS = ("bg", "card", "text", "accent")
LONGEST = 3600  # seconds of anything
FONTS: Mapping[str, str] = {
    Font.SANS: "",
    Font.SERIF: 'Georgia, "Noto Serif", "Times New Roman", serif',
    Font.ROUNDED: 'ui-rounded, "SF Pro Rounded", "Hiragino Maru Gothic ProN", Nunito, sans-serif',
    Font.NARROW: '"Roboto Condensed", "Arial Narrow", "Liberation Sans Narrow", sans-serif',
    Font.MONO: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
}


def look_of(wall: Wall) -> Values:
    """What pages are sent: as they open, and whenever it is changed."""
    look = Look.objects.filter(wall=wall).first() or Look(wall=wall)
    return {
        "title": title_of(wall),
        "hashtag": hashtag_of(wall),
        "logo": look.logo,
        "layout": look.layout,
        "seconds": look.seconds,
        "quiet": look.quiet,
        "least": wall.least,
        "theme": look.theme,
        "font": look.font,
        "left_out": look.left_out,
        "badges": _badges(look.badges.splitlines(), "="),
        **{name: getattr(look, name) for name in COLOURS},
        "number": look.number,
    }


def asked_in(query: Mapping[str, str]) -> Values:
    """What an address asks for, of what can be set."""
    found: Values = {}
    for name, value in query.items():
        if name in _READERS:
            with suppress(ValueError):
                key, read = _READERS[name]
                found[key] = read(value.strip())
    return found


def merged(look: Values, asked: Values) -> Values:
    """Colours that could not be read are not taken from an address: all of them, or none."""
    both = {**look, **asked}
    if set(COLOURS) & asked.keys() and below_aa(colours_of(both)):
        both |= {name: look[name] for name in COLOURS}
    return both


def colours_of(look: Values) -> dict[str, str]:
    return palette(look["theme"], {name: look[name] for name in COLOURS})


def style_of(look: Values) -> str:
    """A style sheet, to come after wall.css."""
    rules = []
    if any(look[name] for name in COLOURS):
        rules += [f"{name}: {value};" for name, value in properties(colours_of(look)).items()]
    if FONTS[look["font"]]:
        rules.append(f"--wall-font: {FONTS[look['font']]};")
    return ":root:root {\n  " + "\n  ".join(rules) + "\n}\n" if rules else ""


def badge_words(look: Values) -> dict[str, str]:
    return usual_badges() | dict(look["badges"])


# -- what an address may ask for


def _text(value: str) -> str:
    if not value.isprintable() or len(value) > 200:
        raise ValueError
    return value


def _logo(value: str) -> str:
    if not is_address(value):
        raise ValueError
    return value


def is_address(value: str) -> bool:
    """Of the web, or a path of this site."""
    return bool(safe_url(value)) or bool(re.fullmatch(r"/(?!/)[\w.~%/@?=&-]*", value, re.ASCII))


def _colour(value: str) -> str:
    colour = "#" + value.lstrip("#").lower()
    if not is_colour(colour):
        raise ValueError
    return colour


def _seconds(least: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isdecimal() or not least <= int(value[:5]) <= LONGEST:
            raise ValueError
        return int(value)

    return read


def _parts(value: str) -> list[str]:
    return [Part(part).value for part in value.split(",") if part]


def _badges(lines: list[str], sign: str) -> dict[str, str]:
    pairs = (line.partition(sign) for line in lines if line.strip())
    return {source.strip()[:32]: words.strip()[:40] for source, _, words in pairs}


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "title": ("title", _text),
    "hashtag": ("hashtag", _text),
    "logo": ("logo", _logo),
    "layout": ("layout", lambda value: Layout(value).value),
    "seconds": ("seconds", _seconds(1)),
    "quiet": ("quiet", _seconds(0)),
    "least": ("least", _seconds(0)),
    "theme": ("theme", lambda value: Theme(value).value),
    "font": ("font", lambda value: Font(value).value),
    "without": ("left_out", _parts),
    "badges": ("badges", lambda value: _badges(_text(value).split(","), ":")),
    **{name: (name, _colour) for name in THEMES["dark"]},
}
