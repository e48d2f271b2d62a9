"""The rooms, and who is in them now."""

from django.db import models
from django.db.models.functions import Lower


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


class ChatUser(models.Model):
    """Somebody in a room, for as long as the connection."""

    room = models.ForeignKey(ChatRoom, models.CASCADE, related_name="users")
    name = models.CharField(max_length=40)
    session = models.CharField(max_length=64)  # socket.session.session_id

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint("room", Lower("name"), name="one_of_each_name_in_a_room"),
            models.UniqueConstraint(fields=["room", "session"], name="nobody_is_twice_in_a_room"),
        ]

    def __str__(self):
        return self.name
