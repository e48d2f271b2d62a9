"""The look of a wall, and its slides, in Django's admin; with a preview of what is about to be saved."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils.translation import gettext, gettext_lazy

from realtime_wall.wall.models import Wall
from realtime_wall.wall.pages.layout import address_of
from realtime_wall.wall.stage.contrast import AA, below_aa, is_colour, palette
from realtime_wall.wall.stage.look import COLOURS, is_address
from realtime_wall.wall.stage.pictures import UploadForm
from realtime_wall.wall.stage.tables import Look, Part, Slide

ACCEPTED = "image/jpeg,image/png,image/webp,image/gif"


def _upload(label: Any) -> forms.FileField:
    return forms.FileField(
        required=False,
        label=label,
        help_text=gettext_lazy(
            "A JPEG, PNG, WebP or GIF of 10 MB at most; it takes the place of the address."
        ),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
    )


class LookForm(UploadForm):
    address_field = "logo"
    upload = _upload(gettext_lazy("Upload a logo"))
    left_out = forms.MultipleChoiceField(
        choices=Part.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Left out of a post"),
    )

    def clean_logo(self) -> str:
        return _checked_address(self.cleaned_data["logo"])

    def clean_seconds(self) -> int:
        return max(1, int(self.cleaned_data["seconds"]))

    def clean(self) -> dict[str, Any]:
        """Colours that cannot be read from the back of the hall are refused."""
        cleaned = super().clean() or self.cleaned_data
        chosen = {name: cleaned.get(name, "") for name in COLOURS}
        for name, colour in chosen.items():
            if colour and not is_colour(colour):
                self.add_error(name, gettext("A colour is # and six digits, such as #ffb547."))
        if not self.errors:
            self._refuse_what_is_faint(palette(cleaned["theme"], chosen))
        return cleaned

    def _refuse_what_is_faint(self, colours: dict[str, str]) -> None:
        for pair, ratio in below_aa(colours).items():
            words, ground = pair.split("/")
            names = [self.fields[name].label for name in (words, ground)]
            sentence = gettext("{} on {}: a contrast of {}, and it has to be {}.")
            self.add_error(words, sentence.format(*names, ratio, AA))


class LookInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Look
    form = LookForm
    can_delete = False
    classes = ("wall-look",)
    fields = (
        ("layout", "seconds", "quiet"),
        ("theme", "font"),
        ("bg", "card", "text", "accent"),
        ("logo", "upload"),
        "left_out",
        "badges",
    )

    class Media:
        js = ("realtime_wall_wall/preview_admin.js", "realtime_wall_wall/look_admin.js")
        css: ClassVar = {"all": ("realtime_wall_wall/look_admin.css",)}


class SlideForm(UploadForm):
    address_field = "picture"
    upload = _upload(gettext_lazy("Upload a picture"))

    def clean_picture(self) -> str:
        return _checked_address(self.cleaned_data["picture"])

    def clean_film(self) -> str:
        return _checked_address(self.cleaned_data["film"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(name) for name in ("text", "picture", "film", "upload")):
            raise forms.ValidationError(gettext("A slide has a text, a picture or a film."))
        return cleaned


@admin.register(Slide)
class SlideAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = SlideForm
    list_display = (
        "name",
        "wall",
        "enabled",
        "seconds",
        "every_posts",
        "every_minutes",
        "begins",
        "ends",
        "place",
    )
    list_editable = ("enabled", "place")
    list_filter = ("wall", "enabled")
    list_select_related = ("wall",)
    fields: ClassVar = (
        ("wall", "name", "enabled"),
        "text",
        ("picture", "upload"),
        "film",
        ("seconds", "every_posts", "every_minutes"),
        ("begins", "ends"),
        "place",
    )

    class Media:
        js = ("realtime_wall_wall/preview_admin.js", "realtime_wall_wall/slide_admin.js")
        css: ClassVar = {"all": ("realtime_wall_wall/look_admin.css",)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        extra = {**(extra_context or {}), "walls": _wall_addresses()}
        return super().changeform_view(request, object_id, form_url, extra)


def _wall_addresses() -> dict[int, str]:
    """Of their pages, for the preview; an admin on a site of its own has none."""
    with suppress(NoReverseMatch):
        return {wall.pk: address_of("wall", wall) for wall in Wall.objects.only("slug")}
    return {}


def _checked_address(value: str) -> str:
    if value and not is_address(value):
        raise forms.ValidationError(gettext("It begins with https://, or with / for a file of this site."))
    return value
