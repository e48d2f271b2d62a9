"""One database transaction for each event, where the project wants that."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import override_settings

from realtime_wall import signals
from realtime_wall.sockets.dispatch import receivers
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.wall.databases import file_database


def store(sender, **kwargs):
    User.objects.create_user("stored")


def fail(sender, **kwargs):
    raise ValueError("after it was stored")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    with file_database(tmp_path_factory.mktemp("database") / "events.sqlite3") as path:
        call_command("migrate", verbosity=0)
        yield path


@pytest.fixture
def send(tables):
    User.objects.all().delete()

    def send(*connected, **settings):
        for receiver in connected:
            signals.socket_client_event.connect(receiver)
        with override_settings(REALTIME_WALL=settings):
            return receivers.run_together([(signals.socket_client_event, {"event": None})], socket)

    with no_receivers(), running_node() as node:
        socket = RecordingTransport(node).socket
        yield send


def test_what_receivers_store_is_stored(send):
    outcome = send(store, EVENT_TRANSACTION=True)

    assert not outcome.failed
    assert User.objects.count() == 1


def test_when_one_fails_nothing_is_stored(send):
    outcome = send(store, fail, EVENT_TRANSACTION=True)

    assert outcome.failed
    assert User.objects.count() == 0


def test_a_database_error_of_one_undoes_the_others(send):
    def clash(sender, **kwargs):
        User.objects.create_user("stored")

    outcome = send(store, clash, EVENT_TRANSACTION=True)

    assert outcome.failed
    assert User.objects.count() == 0


def test_without_the_setting_each_receiver_is_on_its_own(send):
    outcome = send(store, fail)

    assert outcome.failed
    assert User.objects.count() == 1
