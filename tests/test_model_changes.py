"""What is saved is published after its commit, and never before."""

import json
import logging

import pytest
from django.db import connection, models, transaction
from django.test import override_settings

from realtime_wall import api, broadcast_changes
from realtime_wall.errors import InvalidChannel, InvalidMessage
from tests.fakes import forgotten_model_receivers, running_node


class Speaker(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "tests_model_changes"


class Talk(models.Model):
    title = models.CharField(max_length=50)
    room = models.CharField(max_length=50, default="hall")
    seats = models.IntegerField(default=0)
    notes = models.JSONField(default=dict)
    speaker = models.ForeignKey(Speaker, models.CASCADE, null=True)
    secret = models.CharField(max_length=50, default="secret")
    guests = models.ManyToManyField(Speaker, related_name="+")

    class Meta:
        app_label = "tests_model_changes"


FIELDS = ["title", "room", "seats", "notes", "speaker"]


@pytest.fixture(scope="module", autouse=True)
def tables():
    with connection.schema_editor() as editor:
        editor.create_model(Speaker)
        editor.create_model(Talk)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Talk)
        editor.delete_model(Speaker)


@pytest.fixture(autouse=True)
def no_receivers():
    with forgotten_model_receivers():
        yield
    Talk.objects.all().delete()


@pytest.fixture
def node():
    with running_node(message_size=1000) as node:
        yield node


def told(node, channel="talks"):
    return [(one.event, json.loads(one.data_json)) for one in node.broker.newest(channel, 99)]


def test_a_talk_is_created_changed_and_deleted(node):
    broadcast_changes(Talk, channel="talks", fields=FIELDS)
    speaker = Speaker.objects.create(name="Ada")
    talk = Talk.objects.create(title="Keynote", notes={"a": [1]}, speaker=speaker)
    pk = talk.pk
    talk.title = "Closing"
    talk.save()
    talk.delete()

    values = {"room": "hall", "seats": 0, "notes": {"a": [1]}, "speaker": speaker.pk}
    assert told(node) == [
        ("created", {"pk": pk, "title": "Keynote", **values}),
        ("changed", {"pk": pk, "title": "Closing", **values}),
        ("deleted", {"pk": pk}),
    ]


def test_nothing_is_published_before_the_commit_and_nothing_after_a_rollback(node):
    broadcast_changes(Talk, channel="talks", fields=["title"])
    with transaction.atomic():
        talk = Talk.objects.create(title="Keynote")
        assert told(node) == []
        pk, talk.title = talk.pk, "not saved"
    with pytest.raises(RuntimeError), transaction.atomic():
        talk.save()
        talk.delete()
        raise RuntimeError

    assert told(node) == [("created", {"pk": pk, "title": "Keynote"})]


def test_what_is_saved_in_a_block_that_was_undone_is_not_published(node):
    broadcast_changes(Talk, channel="talks", fields=["title"])
    with transaction.atomic():
        Talk.objects.create(title="Keynote")
        with pytest.raises(RuntimeError), transaction.atomic():
            Talk.objects.create(title="undone")
            raise RuntimeError

    assert [data["title"] for _, data in told(node)] == ["Keynote"]


def test_what_a_document_said_when_it_was_saved_is_published(node):
    broadcast_changes(Talk, channel="talks", fields=["notes"])
    with transaction.atomic():
        talk = Talk.objects.create(notes={"a": 1})
        talk.notes["a"] = 2

    assert told(node)[0][1]["notes"] == {"a": 1}


def test_the_channel_may_depend_on_what_is_saved(node):
    broadcast_changes(
        Talk, channel=lambda talk: f"room.{talk.room}" if talk.seats else None, fields=["title"]
    )
    Talk.objects.create(title="Keynote", seats=1)
    Talk.objects.create(title="Lunch")

    assert [data["title"] for _, data in told(node, "room.hall")] == ["Keynote"]


def test_only_what_was_saved_is_published(node):
    talk = Talk.objects.create(title="Keynote")
    broadcast_changes(Talk, channel="talks", fields=FIELDS)
    talk.title, talk.room = "not saved", "attic"
    talk.save(update_fields=["room"])
    talk.save(update_fields=["secret"])
    talk.speaker_id = Speaker.objects.create().pk
    talk.save(update_fields=["speaker_id"])

    assert told(node) == [
        ("changed", {"pk": talk.pk, "room": "attic"}),
        ("changed", {"pk": talk.pk, "speaker": talk.speaker_id}),
    ]


def test_what_the_database_has_counted_is_published(node):
    talk = Talk.objects.create(title="Keynote", seats=4)
    broadcast_changes(Talk, channel="talks", fields=["title", "seats"])
    talk.seats = models.F("seats") + 1
    talk.save()

    assert told(node) == [("changed", {"pk": talk.pk, "title": "Keynote", "seats": 5})]


def test_to_say_it_again_replaces_it(node):
    broadcast_changes(Talk, channel="talks", fields=["secret"])
    broadcast_changes(Talk, channel="talks", fields=["title"])
    talk = Talk.objects.create(title="Keynote")

    assert told(node) == [("created", {"pk": talk.pk, "title": "Keynote"})]


def test_a_fixture_is_not_published(node):
    broadcast_changes(Talk, channel="talks", fields=["title"])
    Talk(pk=7, title="Keynote").save_base(raw=True)

    assert told(node) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [(["titel"], "Talk has no field 'titel'"), (["guests"], "Talk.guests has no column of its own")],
)
def test_fields_are_checked_when_it_is_said(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        broadcast_changes(Talk, channel="talks", fields=fields)


def test_a_channel_is_checked_when_it_is_said():
    with pytest.raises(InvalidChannel):
        broadcast_changes(Talk, channel="a/b", fields=[])


def test_a_save_does_not_fail_because_nobody_can_be_told(node, caplog):
    def fails(talk):
        raise LookupError("mine")

    broadcast_changes(Talk, channel=fails, fields=["title"])
    broadcast_changes(Talk, channel=lambda talk: "a/b", fields=["title"])
    broadcast_changes(Talk, channel="talks", fields=["notes"])
    Talk.objects.create(title="Keynote", notes={"a": "x" * 2000})

    assert Talk.objects.count() == 1
    assert node.broker.top.offset == 0
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3


def test_without_a_server_saving_is_quiet(caplog, tmp_path):
    broadcast_changes(Talk, channel="talks", fields=["title"])
    with override_settings(REALTIME_WALL={"RUNTIME_DIR": str(tmp_path)}):
        Talk.objects.create(title="Keynote")

    assert not caplog.records


# By hand


def test_publish_waits_for_the_commit(node):
    with transaction.atomic():
        data = {"n": 1}
        assert api.publish("talks", data, event="said", on_commit=True) is None
        data["n"] = 2
        assert told(node) == []
    with pytest.raises(RuntimeError), transaction.atomic():
        api.publish("talks", "never", on_commit="default")
        raise RuntimeError
    api.publish("talks", "at once, outside a transaction", on_commit=True)

    assert told(node) == [("said", {"n": 1}), (None, "at once, outside a transaction")]


def test_what_cannot_be_published_is_refused_before_the_commit(node):
    with transaction.atomic(), pytest.raises(InvalidMessage):
        api.publish("talks", float("nan"), on_commit=True)


def test_what_goes_wrong_after_the_commit_is_logged_and_undoes_nothing(node, caplog):
    with transaction.atomic():
        Talk.objects.create(title="Keynote")
        api.publish("talks", "x" * 2000, on_commit=True)

    assert Talk.objects.count() == 1
    assert "limit MESSAGE_SIZE" in caplog.text
