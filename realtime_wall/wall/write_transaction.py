"""How does a transaction that reads before it writes wait for its turn, where there is one writer at a time?

SQLite lets a transaction that has read wait for nobody: if another one writes meanwhile, it is refused at
once ("database is locked"), whatever the time limit says. So ours begin with a write, if only of nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from realtime_wall.wall.models import Wall


@contextmanager
def write_transaction() -> Iterator[None]:
    with transaction.atomic():
        if transaction.get_connection().vendor == "sqlite":
            Wall.objects.filter(pk=-1).update(slug="")
        yield
