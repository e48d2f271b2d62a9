from dataclasses import fields

import pytest
from django.test import override_settings

from realtime_wall.config import Config, current, from_mapping, problems


def test_without_settings_everything_has_its_default():
    assert from_mapping({}) == Config()


def test_every_setting_has_a_meaning_that_is_a_sentence():
    for item in fields(Config):
        meaning = item.metadata["meaning"]
        assert meaning[0].isupper(), item.name
        assert meaning.endswith("."), item.name


def test_every_default_is_a_value_that_may_be_set():
    defaults = {item.name.upper(): getattr(Config(), item.name) for item in fields(Config)}

    assert problems(defaults) == []


def test_a_key_is_the_upper_case_of_a_field():
    config = from_mapping({"MESSAGE_SIZE": 10, "ALLOWED_ORIGINS": ["http://example.com"]})

    assert (config.message_size, config.allowed_origins) == (10, ["http://example.com"])


def test_one_configuration_does_not_share_its_lists_with_another():
    Config().wall["a"] = 1

    assert Config().wall == {}


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("MESAGE_SIZE", " (did you mean 'MESSAGE_SIZE'?)"),
        ("ping_interval", " (did you mean 'PING_INTERVAL'?)"),
        ("PingInterval", " (did you mean 'PING_INTERVAL'?)"),
        ("ALLOWED_ORIGIN", " (did you mean 'ALLOWED_ORIGINS'?)"),
        ("COFFEE", ""),
    ],
)
def test_an_unknown_key_is_named_with_the_one_that_was_meant(key, hint):
    assert problems({key: 1}) == [(key, "is not a setting" + hint)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MESSAGE_SIZE", "1024"),
        ("MESSAGE_SIZE", 1.5),
        ("MESSAGE_SIZE", None),
        ("MESSAGE_SIZE", True),
        ("PING_INTERVAL", "25"),
        ("PING_INTERVAL", None),
        ("PING_INTERVAL", False),
        ("PING_INTERVAL", float("nan")),
        ("PING_INTERVAL", float("inf")),
        ("ALLOWED_ORIGINS", "http://example.com"),
        ("ALLOWED_ORIGINS", {"http://example.com"}),
        ("ALLOWED_ORIGINS", [1]),
        ("TRUSTED_PROXIES", None),
        ("AUTHORIZE", 1),
        ("AUTHORIZE", ["f"]),
        ("RUNTIME_DIR", 1),
        ("BUS_GROUP", True),
        ("WALL", []),
        ("WALL", None),
    ],
)
def test_a_value_of_another_kind_is_named(key, value):
    assert problems({key: value}) == [(key, f"cannot be {value!r}")]


@pytest.mark.parametrize(
    ("key", "value", "least"),
    [
        ("MESSAGE_SIZE", 0, 1),
        ("RECEIVER_POOL", 0, 1),
        ("PING_INTERVAL", 0, 0.1),
        ("PING_INTERVAL", -1, 0.1),
        ("MAX_CONNECTIONS", -1, 0),
    ],
)
def test_a_number_with_which_nothing_could_work_is_named(key, value, least):
    assert problems({key: value}) == [(key, f"cannot be less than {least}")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MESSAGE_SIZE", 10),
        ("PING_INTERVAL", 10),
        ("PING_INTERVAL", 0.5),
        ("MAX_CONNECTIONS", 0),
        ("ALLOWED_ORIGINS", ["http://example.com"]),
        ("ALLOWED_ORIGINS", ("http://example.com",)),
        ("AUTHORIZE", "site.may_connect"),
        ("AUTHORIZE", print),
        ("AUTHORIZE", None),
        ("RUNTIME_DIR", "/run/site"),
        ("RUNTIME_DIR", None),
        ("WALL", {"TRACK_KEYWORDS": ["python"]}),
    ],
)
def test_a_value_of_its_kind_is_taken(key, value):
    assert problems({key: value}) == []
    assert getattr(from_mapping({key: value}), key.lower()) == value


def test_all_problems_are_named_at_once():
    found = problems({"COFFEE": 1, "MESSAGE_SIZE": "1", "PING_INTERVAL": -1, "PING_TIMEOUT": 3})

    assert [key for key, _ in found] == ["COFFEE", "MESSAGE_SIZE", "PING_INTERVAL"]


def test_what_has_a_problem_keeps_its_default():
    assert from_mapping({"COFFEE": 1, "MESSAGE_SIZE": "1", "PING_INTERVAL": -1}) == Config()


def test_the_project_s_settings_are_followed():
    with override_settings(REALTIME_WALL={"MESSAGE_SIZE": 10}):
        assert current().message_size == 10
    assert current().message_size == Config().message_size


def test_they_are_read_once():
    assert current() is current()
