import sys

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.views import View

from realtime_wall import checks
from realtime_wall.checks import TAG
from realtime_wall.server import monkey_patch


def found():
    return [(one.id, one.msg) for one in run_checks(tags=[TAG])]


def ids():
    return [id for id, _ in found()]


@pytest.fixture
def serving(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "rungevent", "8000"])


# Views and middleware of the projects below


def plain(request):
    return HttpResponse()


class Plain(View):
    def get(self, request):
        return HttpResponse()


urlpatterns = [path("plain/", plain), path("class/", Plain.as_view())]


def test_a_project_that_is_fine_hears_nothing():
    with override_settings(REALTIME_WALL={"MESSAGE_SIZE": 10}):
        assert found() == []


def test_one_without_settings_of_ours_hears_nothing():
    with override_settings():
        if hasattr(settings, "REALTIME_WALL"):
            del settings.REALTIME_WALL
        assert found() == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "REALTIME_WALL has to be a dict."),
        (None, "REALTIME_WALL has to be a dict."),
        (
            {"MESAGE_SIZE": 1},
            "REALTIME_WALL['MESAGE_SIZE'] is not a setting (did you mean 'MESSAGE_SIZE'?).",
        ),
        ({"MESSAGE_SIZE": "big"}, "REALTIME_WALL['MESSAGE_SIZE'] cannot be 'big'."),
        ({"PING_INTERVAL": -1}, "REALTIME_WALL['PING_INTERVAL'] cannot be less than 0.1."),
    ],
)
def test_settings_that_cannot_be_used_are_an_error(value, message):
    with override_settings(REALTIME_WALL=value):
        assert found() == [("realtime_wall.E001", message)]


def test_a_group_without_a_directory_is_an_error():
    with override_settings(REALTIME_WALL={"BUS_GROUP": "www"}):
        assert ids() == ["realtime_wall.E002"]
    with override_settings(REALTIME_WALL={"BUS_GROUP": "www", "RUNTIME_DIR": "/run/site"}):
        assert ids() == []


@pytest.mark.parametrize("origin", ["*", "example.com", "https://example.com/page", "null", ""])
def test_an_origin_that_no_browser_sends_is_an_error(origin):
    with override_settings(REALTIME_WALL={"ALLOWED_ORIGINS": ["https://example.com", origin]}):
        assert ids() == ["realtime_wall.E006"]
    with override_settings(REALTIME_WALL={"ALLOWED_ORIGINS": ["https://example.com"]}):
        assert ids() == []


@pytest.mark.parametrize("origin", ["https://*.example.com", "capacitor://localhost", "none"])
def test_patterns_and_the_shells_of_apps_are_origins(origin):
    with override_settings(REALTIME_WALL={"ALLOWED_ORIGINS": [origin]}):
        assert ids() == []


@pytest.mark.parametrize(
    ("setting", "id_"),
    [
        ({"TRUSTED_PROXIES": ["127.0.0.0/8", "localhost"]}, "realtime_wall.E011"),
        ({"HEALTH_PATH": "healthz"}, "realtime_wall.E012"),
        ({"ALLOWED_ORIGINS": ["https://*"]}, "realtime_wall.E006"),
    ],
)
def test_what_can_never_match_is_an_error(setting, id_):
    with override_settings(REALTIME_WALL=setting):
        assert ids() == [id_]


def test_a_rate_of_an_event_that_is_no_number_of_events_is_an_error():
    with override_settings(REALTIME_WALL={"EVENT_RATES": {"typing": 5, "ping": "often"}}):
        (error,) = checks.check_settings()

    assert error.id == "realtime_wall.E016"
    assert "'ping'" in error.msg


def test_a_wrong_setting_does_not_stop_migrate(monkeypatch):
    monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])
    with override_settings(REALTIME_WALL={"UNKNOWN": 1, "WALL": {"UNKNOWN": 1}}):
        assert [message.is_serious() for message in run_checks() if "REALTIME" in message.msg] == [False] * 2


def test_no_allowed_hosts_while_debug_is_off_is_an_error():
    with override_settings(ALLOWED_HOSTS=[]):
        assert ids() == ["realtime_wall.E003"]
    with override_settings(ALLOWED_HOSTS=[], DEBUG=True):
        assert ids() == []


def test_missing_patches_are_an_error_when_serving(monkeypatch, serving):
    monkeypatch.setattr(monkey_patch, "is_patched", lambda: False)

    assert ids() == ["realtime_wall.E004"]


def test_late_patches_are_an_error_when_serving(monkeypatch, serving):
    monkeypatch.setattr(monkey_patch, "is_patched_too_late", lambda: True)

    assert ids() == ["realtime_wall.E005"]


@pytest.mark.parametrize(
    "argv", [["manage.py", "migrate"], ["manage.py"], ["manage.py", "test", "rungevent"]]
)
def test_other_commands_need_no_patches(monkeypatch, argv):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(monkey_patch, "is_patched", lambda: False)

    assert ids() == []


def test_patches_in_time_are_fine(serving):
    assert ids() == []


def database(**settings):
    engine = {"ENGINE": "django.db.backends.postgresql", "NAME": "site"}
    return override_settings(DATABASES={"default": {**engine, **settings}})


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_lasting_connections_without_a_pool_are_a_warning():
    for age in (60, None):
        with database(CONN_MAX_AGE=age):
            assert found() == [
                (
                    "realtime_wall.W003",
                    "DATABASES['default'] has CONN_MAX_AGE without a pool: connections pile up.",
                )
            ]
    for fine in ({}, {"CONN_MAX_AGE": 0}, {"CONN_MAX_AGE": 60, "OPTIONS": {"pool": True}}):
        with database(**fine):
            assert ids() == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PUBLISH_FROM_LOOPBACK": True}, ["realtime_wall.W004"]),
        ({"PUBLISH_FROM_LOOPBACK": False}, []),
        ({"CHANNELS": {"a": {"WRITE": True}, "b": {"WRITE": ["users", "all"]}}}, ["realtime_wall.W005"] * 2),
        ({"CHANNELS": {"a": {"WRITE": ["users", "token"]}, "b": {"READ": True}}}, []),
    ],
)
def test_publishing_that_is_open_to_many_is_named_where_it_is_deployed(given, expected):
    with override_settings(REALTIME_WALL=given, ALLOWED_HOSTS=["*"]):
        assert ids() == expected
        with override_settings(DEBUG=True):
            assert ids() == []


def test_an_events_channel_has_a_channels_name():
    with override_settings(REALTIME_WALL={"EVENTS_CHANNEL": "a/b"}, ALLOWED_HOSTS=["*"]):
        ((id, sentence),) = found()

    assert id == "realtime_wall.E008"
    assert "'a/b'" in sentence


@pytest.mark.parametrize(
    ("given", "id", "part"),
    [
        (
            {"LOG_DIR": "/tmp/log", "BROKER": "redis://cache.example"},
            "realtime_wall.E013",
            "the log is in Redis",
        ),
        ({"BROKER": "http://cache.example"}, "realtime_wall.E009", "redis://, rediss://, unix://"),
        ({"BROKER": "redis://cache.example", "BROKER_PREFIX": "{x}"}, "realtime_wall.E010", "BROKER_PREFIX"),
    ],
)
def test_a_broker_that_cannot_be_used_is_an_error(given, id, part):
    with override_settings(REALTIME_WALL=given, ALLOWED_HOSTS=["*"]):
        ((found_id, sentence),) = found()

    assert found_id == id
    assert part in sentence


def test_a_setting_of_an_older_project_is_named_with_its_new_word():
    with override_settings(SOCKETIO_PORT=9000, TRACK_KEYWORDS=("django",)):
        found = checks.check_older_settings()

    assert [(one.id, one.msg, one.hint) for one in found] == [
        ("realtime_wall.W006", "The setting SOCKETIO_PORT is not read.", "Say REALTIME_WALL['PORT']."),
        (
            "realtime_wall.W006",
            "The setting TRACK_KEYWORDS is not read.",
            "Say REALTIME_WALL['WALL']['TRACK_KEYWORDS'].",
        ),
    ]
    assert checks.check_older_settings() == []
