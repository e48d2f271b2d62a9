"""A stranger's picture becomes one of ours: decoded, turned upright, made smaller, and written anew.

Nothing of the file is kept but its pixels: no place, no camera, nothing behind the picture's end. What cannot
be decoded is no picture, whatever it is called. The libraries come with ``realtime-wall[phone]``.
"""

from __future__ import annotations

import io
import warnings
from importlib.util import find_spec
from typing import IO

LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000  # the largest phones' cameras have that
EDGE = 1600
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class BadPicture(ValueError):
    """It is none, or one that is too large."""


def can_take_posts() -> bool:
    """Whether the libraries are there."""
    return all(find_spec(name) is not None for name in ("PIL", "segno"))


def redraw(file: IO[bytes]) -> tuple[bytes, int, int]:
    """A JPEG, its width and its height. Takes a moment of computing."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a decompression bomb is one at half the size, too
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise BadPicture("it has too many pixels")
                image.draft("RGB", (EDGE, EDGE))
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((EDGE, EDGE))
                flat = Image.new("RGB", upright.size, "white")
                clear = upright.convert("RGBA")
                flat.paste(clear, mask=clear.getchannel("A"))
    except BadPicture:
        raise
    except Exception as problem:  # decoders of strangers' bytes raise whatever they like
        raise BadPicture("it is no picture") from problem
    written = io.BytesIO()
    flat.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue(), flat.width, flat.height
