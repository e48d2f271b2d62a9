"""Can it be read? The contrast of an event's colours, as WCAG 2.2 computes it, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Mapping

AA = 4.5  # success criterion 1.4.3
AAA = 7.0

# As wall.css has them; a test holds the two together.
THEMES: Mapping[str, Mapping[str, str]] = {
    "dark": {"bg": "#0d0f12", "card": "#171a1f", "text": "#f5f3ee", "accent": "#ffb547"},
    "light": {"bg": "#f1efea", "card": "#ffffff", "text": "#15171a", "accent": "#8f3d00"},
}
# What is written in which colour, and on what.
PAIRS = (("text", "bg"), ("text", "card"), ("accent", "card"))
is_colour = re.compile(r"#[0-9a-fA-F]{6}").fullmatch


def contrast(one: str, other: str) -> float:
    """From 1, for the same colour, to 21, for black on white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def contrasts(colours: Mapping[str, str]) -> dict[str, float]:
    """Of each pair, cut to two places: what is 4.499 is not 4.5."""
    return {f"{one}/{other}": int(100 * contrast(colours[one], colours[other])) / 100 for one, other in PAIRS}


def below_aa(colours: Mapping[str, str]) -> dict[str, float]:
    return {pair: ratio for pair, ratio in contrasts(colours).items() if ratio < AA}


def palette(theme: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """The theme's colours with those that were chosen in their place."""
    return {**THEMES[theme], **{name: colour for name, colour in chosen.items() if colour}}


def properties(colours: Mapping[str, str]) -> dict[str, str]:
    """All custom properties of wall.css: what is less important is mixed from text and ground."""
    return {
        **{f"--wall-{name}": colour for name, colour in colours.items()},
        "--wall-muted": _muted(colours),
        "--wall-line": _mix(colours["text"], colours["card"], 0.14),
    }


def _muted(colours: Mapping[str, str]) -> str:
    """As far from the text as can still be read on both grounds."""
    for share in (0.7, 0.8, 0.9):
        mixed = _mix(colours["text"], colours["card"], share)
        if min(contrast(mixed, colours["card"]), contrast(mixed, colours["bg"])) >= AA:
            return mixed
    return colours["text"]


def _mix(one: str, other: str, share: float) -> str:
    mixed = (
        round(share * first + (1 - share) * second)
        for first, second in zip(_channels(one), _channels(other), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
