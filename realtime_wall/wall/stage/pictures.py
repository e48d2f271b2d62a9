"""Where are the logo and the slides' pictures that were uploaded? In the database, until none shows them.

They are stored redrawn, as pictures from phones are, and have an address like any other: the fields of a look
and of a slide hold that, and know no difference.
"""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext

from realtime_wall.api import run_in_threadpool
from realtime_wall.wall.models import Wall
from realtime_wall.wall.phone_posts.picture import (
    LARGEST_FILE,
    MOST_PIXELS,
    BadPicture,
    TooManyPixels,
    redraw_for_stage,
)
from realtime_wall.wall.stage.tables import Look, Slide, StagePicture

MIB, MILLION = 1024 * 1024, 1_000_000


class UploadForm(forms.ModelForm):  # type: ignore[type-arg]
    """Of what has an ``address_field``, and an ``upload`` whose address is put there."""

    address_field = ""

    def clean_upload(self) -> bytes | None:
        file: Any = self.cleaned_data["upload"]
        return checked(file) if file else None

    def save(self, commit: bool = True) -> Any:
        drawn = self.cleaned_data.get("upload")
        if drawn:
            setattr(self.instance, self.address_field, keep(self.instance.wall, drawn))
        return super().save(commit)


def checked(file: Any) -> bytes:
    """The picture as it will be stored, or what is wrong with it, in the organiser's words."""
    if file.size > LARGEST_FILE:
        raise forms.ValidationError(gettext("A picture has {} MB at most.").format(LARGEST_FILE // MIB))
    if find_spec("PIL") is None:
        raise forms.ValidationError(
            gettext("To take pictures it needs Pillow: install realtime-wall[phone].")
        )
    try:
        return run_in_threadpool(lambda: redraw_for_stage(file))
    except TooManyPixels as problem:
        sentence = gettext("A picture has {} million pixels at most.")
        raise forms.ValidationError(sentence.format(MOST_PIXELS // MILLION)) from problem
    except BadPicture as problem:
        sentence = gettext("This cannot be shown; a JPEG, PNG, WebP or GIF can. Of an SVG give the address.")
        raise forms.ValidationError(sentence) from problem


def keep(wall: Wall, drawn: bytes) -> str:
    """Its address."""
    picture = StagePicture.objects.create(id=secrets.token_hex(16), wall=wall, data=drawn)
    return _address(picture.pk)


def drop_unused(wall: Wall) -> None:
    """What neither a look nor a slide shows any more, of any wall: addresses can be copied."""
    for name in StagePicture.objects.filter(wall=wall).values_list("pk", flat=True):
        address = _address(name)
        is_used = Look.objects.filter(logo=address).exists() or Slide.objects.filter(picture=address).exists()
        if not is_used:
            StagePicture.objects.filter(pk=name).delete()


def _address(name: str) -> str:
    return reverse("realtime_wall_wall:stage-picture", args=[name])
