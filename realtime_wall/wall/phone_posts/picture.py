"""A picture that somebody sends becomes one of ours: decoded, turned upright, made smaller, and written anew.

Nothing of the file is kept but its pixels: no place, no camera, nothing behind the picture's end. What cannot
be decoded is no picture, whatever it is called. The libraries come with ``realtime-wall[phone]``.
"""

from __future__ import annotations

import io
import warnings
from importlib.util import find_spec
from typing import IO, Any

LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000  # the largest phones' cameras have that
EDGE = 1600
QUALITY = 82
STAGE_EDGE, STAGE_QUALITY = 2560, 90  # of an organiser's, which fills a screen
EXACT_PIXELS, EXACT_SIZE = 1_000_000, 500_000  # up to here every pixel stays as it was: logos
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class BadPicture(ValueError):
    """It is none, or one that is too large."""


class TooManyPixels(BadPicture):
    """It may be a bomb."""


def can_take_posts() -> bool:
    """Whether the libraries are there."""
    return all(find_spec(name) is not None for name in ("PIL", "segno"))


def redraw(file: IO[bytes]) -> tuple[bytes, int, int]:
    """A JPEG, its width and its height. Takes a moment of computing."""
    from PIL import Image

    clear = _decoded(file, EDGE)
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return _written(flat, "JPEG", quality=QUALITY, optimize=True), flat.width, flat.height


def redraw_for_stage(file: IO[bytes]) -> bytes:
    """A WebP that is still transparent where it was. Takes up to a second of computing."""
    clear = _decoded(file, STAGE_EDGE)
    if clear.width * clear.height <= EXACT_PIXELS:
        exact = _written(clear, "WEBP", lossless=True)
        if len(exact) <= EXACT_SIZE:
            return exact
    return _written(clear, "WEBP", quality=STAGE_QUALITY)


def _decoded(file: IO[bytes], edge: int) -> Any:
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a decompression bomb is one at half the size, too
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise TooManyPixels("it has too many pixels")
                image.draft("RGB", (edge, edge))
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((edge, edge))
                return upright.convert("RGBA")
    except BadPicture:
        raise
    except Exception as problem:  # decoders of strangers' bytes raise whatever they like
        raise BadPicture("it is no picture") from problem


def _written(image: Any, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()
