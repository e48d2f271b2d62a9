"""Put a message into the table, in the transaction that is open."""

from __future__ import annotations

import json

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import router, transaction

from realtime_wall.brokers.command_json import to_json
from realtime_wall.brokers.commands import Publish
from realtime_wall.outbox import relay


def write(command: Publish, on_commit: bool | str) -> None:
    """ImproperlyConfigured where there is no table, ValueError when it is in another database."""
    if not apps.is_installed("realtime_wall.outbox"):
        raise ImproperlyConfigured(
            "publish(durable=True) needs a table: add 'realtime_wall.outbox' to INSTALLED_APPS and migrate."
        )
    from realtime_wall.outbox.models import OutboxMessage

    database = router.db_for_write(OutboxMessage)
    if on_commit not in (True, database):
        raise ValueError(f"the outbox is in database {database!r}, and cannot follow one of {on_commit!r}")
    OutboxMessage.objects.using(database).create(command=json.dumps(to_json(command)))
    transaction.on_commit(relay.wake, using=database, robust=True)
