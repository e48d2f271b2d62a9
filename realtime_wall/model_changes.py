"""What is saved and deleted is published, once it is true.

``broadcast_changes(Talk, channel="talks", fields=["title", "room"])`` in an app's ``events.py`` publishes an
event "created", "changed" or "deleted" after the transaction in which it happened, in whatever process that
was. A transaction that is rolled back publishes nothing. Only ``save()`` and ``delete()`` are seen: Django
sends no signal for ``QuerySet.update()``, ``bulk_create()`` and what a database does by itself.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import Field, Model
from django.db.models.signals import post_delete, post_save
from django.utils.encoding import is_protected_type

from realtime_wall import api
from realtime_wall.brokers.commands import Publish
from realtime_wall.channels.names import check_channel
from realtime_wall.errors import NoServer
from realtime_wall.protocol.json_output import encode_json

log = logging.getLogger(__name__)

# A name, or a function that is given the instance; None publishes nothing.
Channel = str | Callable[[Any], str | None]


def broadcast_changes(model: type[Model], *, channel: Channel, fields: Iterable[str]) -> None:
    """Publish each save and each deletion of a model on a channel, after its commit.

    Only the fields that are named are published, beside the primary key as ``pk``; "changed" has those that
    were saved, "deleted" has none. Another call for the same model and channel name replaces the first.
    """
    chosen = [_field(model, name) for name in ([fields] if isinstance(fields, str) else fields)]
    if isinstance(channel, str):
        check_channel(channel)
    changes = _Changes(channel, {field.name: field for field in chosen})
    uid = ("realtime_wall.model_changes", channel)
    for signal, receiver in ((post_save, changes.saved), (post_delete, changes.deleted)):
        signal.disconnect(sender=model, dispatch_uid=uid)
        signal.connect(receiver, sender=model, dispatch_uid=uid, weak=False)


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist as problem:
        raise ValueError(f"{model.__name__} has no field {name!r}") from problem
    if not getattr(field, "concrete", False) or field.many_to_many:
        raise ValueError(f"{model.__name__}.{name} has no column of its own, and cannot be published")
    return field  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Changes:
    channel: Channel
    fields: dict[str, Field[Any, Any]]

    def saved(
        self,
        sender: type[Model],
        instance: Model,
        created: bool,
        raw: bool,
        using: str,
        update_fields: frozenset[str] | None,
        **_: Any,
    ) -> None:
        if raw:  # a fixture: what it refers to may not be there yet
            return
        fields = list(self.fields.values())
        if update_fields is not None:
            # What else the instance says was not saved.
            fields = [one for one in fields if {one.name, one.attname} & update_fields]
            if not fields:
                return
        self._publish(instance, "created" if created else "changed", fields, using)

    def deleted(self, sender: type[Model], instance: Model, using: str, **_: Any) -> None:
        self._publish(instance, "deleted", [], using)

    def _publish(self, instance: Model, event: str, fields: list[Field[Any, Any]], using: str) -> None:
        """Encode it as it is now, and publish it when it is true."""
        try:
            channel = self.channel if isinstance(self.channel, str) else self.channel(instance)
            if channel is None:
                return
            check_channel(channel)
            data = {"pk": instance.pk, **_values(instance, fields, using)}
            command = Publish(channel=channel, data_json=encode_json(data), event=event, counted=False)
        except Exception:  # the save is not to fail because it cannot be published
            log.exception("a change of %s cannot be published", instance._meta.label)
            return
        transaction.on_commit(lambda: _perform(command), using=using, robust=True)


def _perform(command: Publish) -> None:
    with contextlib.suppress(NoServer):  # without a server nobody listens
        api.perform(command)


def _values(instance: Model, fields: list[Field[Any, Any]], using: str) -> dict[str, Any]:
    if any(hasattr(field.value_from_object(instance), "resolve_expression") for field in fields):
        # F("count") + 1 and its like: the database knows what it has become.
        names = [field.attname for field in fields]
        saved = type(instance)._base_manager.using(using).only(*names).get(pk=instance.pk)
        return {field.name: _value(field, saved) for field in fields}
    return {field.name: _value(field, instance) for field in fields}


def _value(field: Field[Any, Any], instance: Model) -> Any:
    """As Django's serializers write it."""
    value = field.value_from_object(instance)
    return value if is_protected_type(value) else field.value_to_string(instance)
