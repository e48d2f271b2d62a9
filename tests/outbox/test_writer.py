"""What is written to the outbox is committed with its transaction, or never was."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import modify_settings

from realtime_wall import publish
from realtime_wall.errors import InvalidChannel, InvalidMessage
from realtime_wall.outbox.models import OutboxMessage


def test_a_message_is_committed_with_its_transaction(database):
    with transaction.atomic():
        assert publish("news", {"id": 7}, "changed", on_commit=True, durable=True) is None

    assert '"news"' in str(OutboxMessage.objects.get())


def test_or_rolled_back_with_it(database):
    with pytest.raises(RuntimeError), transaction.atomic():
        publish("news", 1, on_commit=True, durable=True)
        raise RuntimeError

    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((("a*b", 1), {"on_commit": True}), InvalidChannel),
        ((("news", float("nan")), {"on_commit": True}), InvalidMessage),
        ((("news", 1), {}), ValueError),
        ((("news", 1), {"on_commit": "elsewhere"}), ValueError),
    ],
)
def test_what_could_never_be_published_is_refused_at_once(database, arguments, error):
    args, options = arguments
    with pytest.raises(error):
        publish(*args, durable=True, **options)
    assert not OutboxMessage.objects.exists()


@modify_settings(INSTALLED_APPS={"remove": "realtime_wall.outbox"})
def test_without_its_app_it_says_what_to_do():
    with pytest.raises(ImproperlyConfigured, match="INSTALLED_APPS"):
        publish("news", 1, on_commit=True, durable=True)
