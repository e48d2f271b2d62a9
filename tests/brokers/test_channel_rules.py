"""Whose rule holds for a channel: an app's, the project's, or what is set for all."""

import pytest
from django.apps import apps

from realtime_wall.brokers.channel_rules import rules_of
from realtime_wall.config import from_mapping


@pytest.fixture
def app(monkeypatch):
    app = apps.get_app_config("realtime_wall")
    monkeypatch.setattr(app, "channel_rules", {"secret.*": {"READ": False}}, raising=False)


def read(channel, **settings):
    return rules_of(from_mapping(settings)).of(channel).read


def test_an_app_has_a_rule_for_its_own_channels_that_no_general_one_opens(app):
    assert read("secret.a") is False
    assert read("secret.a", CHANNELS={"*": {"READ": True}}) is False
    assert read("open", CHANNELS={"*": {"READ": "users"}}) == "users"


def test_the_project_has_the_last_word_by_the_same_pattern(app):
    assert read("secret.a", CHANNELS={"secret.*": {"READ": "staff"}}) == "staff"


def test_the_channel_of_events_is_for_the_staff(app):
    assert read("events", EVENTS_CHANNEL="events", CHANNELS={"*": {"READ": True}}) == "staff"
