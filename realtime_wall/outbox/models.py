"""What is still to be published: a row that is committed with what it is about, or rolled back with it."""

from __future__ import annotations

from django.db import models


class OutboxMessage(models.Model):
    """Its id gives it its turn."""

    # The command as servers send it to each other.
    command = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    # Why no server will ever take it; empty for one that waits.
    problem = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.pk}: {self.command[:80]}"
