from types import SimpleNamespace

import pytest

from realtime_wall.auth.channel_permissions import may_read, may_write, may_write_by_socket
from realtime_wall.auth.channel_token import channel_token
from realtime_wall.channels.rules import Rule


def request(**user):
    return SimpleNamespace(
        user=SimpleNamespace(
            **{"pk": None, "is_authenticated": False, "is_active": True, "is_staff": False, **user}
        )
    )


STRANGER = request()
MEMBER = request(pk=1, is_authenticated=True)
STAFF = request(pk=2, is_authenticated=True, is_staff=True)
FORMER = request(pk=3, is_authenticated=True, is_staff=True, is_active=False)
WITHOUT_USERS = SimpleNamespace()
EVERYBODY = (STRANGER, MEMBER, STAFF, FORMER, WITHOUT_USERS)


def in_room(request, channel):
    return channel == "room" and request is MEMBER


def broken(request, channel):
    raise OSError("the database is away")


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (True, EVERYBODY),
        ("all", EVERYBODY),
        (False, ()),
        (None, ()),
        ("nobody", ()),
        ([], ()),
        ("users", (MEMBER, STAFF, FORMER)),
        ("staff", (STAFF,)),
        ("token", ()),
        (in_room, (MEMBER,)),
        (f"{__name__}.in_room", (MEMBER,)),
        (["staff", in_room], (STAFF, MEMBER)),
        (broken, ()),
        ("no.such.function", ()),
    ],
)
def test_a_rule_says_who_may_read(who, allowed):
    found = [one for one in EVERYBODY if may_read(Rule(read=who), one, "room")]

    assert found == [one for one in EVERYBODY if one in allowed]


def test_a_function_that_fails_lets_nobody_in_and_is_named(caplog):
    assert not may_read(Rule(read=broken), STAFF, "room")
    assert "the rule of channel 'room' failed" in caplog.text


def test_a_token_lets_in_where_the_rule_asks_for_one():
    token = channel_token("room")

    assert may_read(Rule(read="token"), STRANGER, "room", token)
    assert not may_read(Rule(read="token"), STRANGER, "hall", token)
    assert not may_read(Rule(read="staff"), STRANGER, "room", token)


def test_without_a_word_about_it_staff_and_tokens_write_over_http_and_nobody_over_a_socket():
    token = channel_token("room", write=True)
    rule = Rule()

    assert may_write(rule, STAFF, "room")
    assert may_write(rule, STRANGER, "room", token)
    assert not may_write(rule, STRANGER, "room", channel_token("room"))
    assert not may_write(rule, MEMBER, "room")
    assert not may_write_by_socket(rule, STAFF, "room", token)
    assert may_write_by_socket(Rule(write="users"), MEMBER, "room")
    assert not may_write_by_socket(Rule(write="users"), STRANGER, "room")
