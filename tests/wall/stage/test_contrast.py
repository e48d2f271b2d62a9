"""WCAG's own examples, and the palettes of wall.css."""

import re
from pathlib import Path

import pytest

import realtime_wall.wall
from realtime_wall.wall.stage import contrast

STYLE = Path(realtime_wall.wall.__file__).parent / "static/realtime_wall_wall/wall.css"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.47),  # which is below AA, and #767676 is not
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 3.99),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrast_is_what_wcag_computes(one, other, ratio):
    assert contrast.contrast(one, other) == contrast.contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("theme", contrast.THEMES)
def test_a_theme_is_as_the_style_sheet_has_it_and_reads_at_seven(theme):
    block = ":root" if theme == "dark" else f'[data-theme="{theme}"]'
    rules = STYLE.read_text().split(f"{block} {{")[1].split("}")[0]
    written = dict(re.findall(r"--wall-(\w+): (#\w{6});", rules))

    assert contrast.THEMES[theme].items() <= written.items()
    assert min(contrast.contrasts(contrast.THEMES[theme]).values()) >= contrast.AAA


@pytest.mark.parametrize("card", ["#ffffff", "#000000", "#003366", "#ffee00"])
def test_what_is_mixed_can_be_read_where_the_text_can(card):
    text = "#000000" if contrast.contrast("#000000", card) > 10 else "#ffffff"
    found = contrast.properties(contrast.palette("dark", {"bg": card, "card": card, "text": text}))

    assert contrast.contrast(found["--wall-muted"], card) >= contrast.AA
    assert found["--wall-line"] not in (card, text)
