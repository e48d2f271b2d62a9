import time
from types import SimpleNamespace

import pytest
from django.core import signing

from realtime_wall.auth import channel_token as tokens
from realtime_wall.auth.channel_token import allows, channel_token

ADA = SimpleNamespace(pk=7, is_authenticated=True)
BOB = SimpleNamespace(pk=8, is_authenticated=True)
NOBODY = SimpleNamespace(pk=None, is_authenticated=False)


def may(token, channel="room.1", *, write=False, user=NOBODY):
    return allows(token, channel, write=write, user=user)


def test_a_token_is_good_for_the_channels_of_its_pattern():
    assert may(channel_token("room.1"))
    assert may(channel_token("room.*"))
    assert not may(channel_token("room.2"))


def test_reading_does_not_allow_to_write_and_writing_allows_both():
    assert not may(channel_token("room.1"), write=True)
    assert may(channel_token("room.1", write=True), write=True)
    assert may(channel_token("room.1", write=True))


def test_the_token_of_a_user_is_of_use_to_nobody_else():
    token = channel_token("room.1", user=ADA)

    assert may(token, user=ADA)
    assert not may(token, user=BOB)
    assert not may(token, user=NOBODY)
    assert not may(token, user=None)


def test_a_token_ends(monkeypatch):
    token = channel_token("room.1", max_age=60)
    now = time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now + 59)
    assert may(token)
    monkeypatch.setattr(tokens.time, "time", lambda: now + 61)
    assert not may(token)


@pytest.mark.parametrize("token", [None, "", 7, [], "x", "a:b:c", "x" * 5000, "\ud800", "é:é"])
def test_what_is_no_token_of_ours_allows_nothing(token):
    assert not may(token)


def test_a_token_that_was_changed_or_signed_for_something_else_allows_nothing():
    token = channel_token("room.1")
    for index in range(0, len(token), 7):
        other = "A" if token[index] != "A" else "B"
        assert not may(token[:index] + other + token[index + 1 :])
    assert not may(signing.dumps({"c": "room.1", "x": 2**40}, salt="another"))
