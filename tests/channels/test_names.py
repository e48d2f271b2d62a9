import pytest

from realtime_wall.channels.names import EVERYONE, MAX_NAME, check_channel, check_event_name
from realtime_wall.errors import InvalidChannel, InvalidMessage
from realtime_wall.protocol.plain import RESERVED


@pytest.mark.parametrize(
    "name", ["a", "tweets", "room 12", "täglich", "#python", "日本語", "a.b1", "😀", "x" * 128]
)
def test_a_channel_name_is_given_back_as_it_came(name):
    assert check_channel(name) == name


@pytest.mark.threat("S40")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "str"),
        (7, "str"),
        (b"a", "str"),
        ("", "1 to 128"),
        ("x" * 129, "1 to 128"),
        ("x" * 10_240, "1 to 128"),
        ("a\r\nb", "printable"),
        ("a\0b", "printable"),
        ("a\tb", "printable"),
        ("a\u202eb", "printable"),
        ("\ud800", "printable"),
        (" a", "space"),
        ("a ", "space"),
        (" ", "space"),
        ("../a", "'/'"),
        ("a/b", "'/'"),
        ("a*", "'*'"),
        (EVERYONE, "'*'"),
        ("ALL", "statistics"),
        ("e\u0301", "NFC"),
        ("\u212b", "NFC"),
    ],
)
def test_other_names_are_refused_with_a_reason(name, reason):
    with pytest.raises(InvalidChannel, match=reason) as refused:
        check_channel(name)

    assert len(str(refused.value)) < 300


def test_a_channel_name_may_be_as_long_as_an_event_name():
    assert check_channel("x" * MAX_NAME) == check_event_name("x" * MAX_NAME)


@pytest.mark.parametrize("name", ["tweet", "message", "user joined", "größe", "x" * 128])
def test_an_event_name_is_given_back_as_it_came(name):
    assert check_event_name(name) == name


@pytest.mark.threat("S48")
@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", "\x1b", None, 5, *sorted(RESERVED - {"message"})])
def test_event_names_that_some_client_could_not_bear_are_refused(name):
    with pytest.raises(InvalidMessage, match="event name"):
        check_event_name(name)
