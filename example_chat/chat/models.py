"""The rooms. Who is in them is no table: realtime_wall knows."""

from django.db import models


class ChatRoom(models.Model):
    name = models.CharField(max_length=40)
    slug = models.SlugField(max_length=40, unique=True, allow_unicode=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name

    @property
    def channel(self):
        return f"room.{self.slug}"
