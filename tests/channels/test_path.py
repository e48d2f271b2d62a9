import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.channels.path import BadPath, names, parse
from realtime_wall.errors import InvalidChannel


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"a": 0}),
        ("/a/", {"a": 0}),
        ("a/b.b10/c", {"a": 0, "b": 10, "c": 0}),
        ("a.b", {"a.b": 0}),
        ("a.bx", {"a.bx": 0}),
        ("a.b3.b5", {"a.b3": 5}),
        ("a.b007", {"a": 7}),
        (".b7", {".b7": 0}),
        ("a.b1234567890", {"a.b1234567890": 0}),
        ("a.b2/a", {"a": 2}),
        ("room 7", {"room 7": 0}),
        ("ALLES", {"ALLES": 0}),
    ],
)
def test_a_path_names_channels_and_how_far_to_look_back(path, found):
    assert parse(path, 64) == found


@pytest.mark.parametrize(
    ("path", "status", "explanation"),
    [
        ("", 400, "No channel id provided."),
        ("///", 400, "No channel id provided."),
        ("ALL", 403, "Channel id not authorized for this method."),
        ("ALL.b3", 403, "Channel id not authorized for this method."),
        ("a/b*", 403, "Channel id not authorized for this method."),
        ("a" * 129, 400, "Channel id is too large."),
        ("a\r\nb", 400, "Channel id cannot be used: a name has printable characters and spaces only."),
        (" a", 400, "Channel id cannot be used: a name neither begins nor ends with a space."),
        ("a/b/c/d", 403, "More than 3 channels were asked for."),
    ],
)
def test_what_cannot_be_served_says_why(path, status, explanation):
    with pytest.raises(BadPath) as bad:
        parse(path, 3)

    assert (bad.value.status, bad.value.explanation) == (status, explanation)


@given(st.text(max_size=40))
def test_whatever_a_stranger_asks_for_is_channels_or_refused(path):
    from realtime_wall.channels.names import check_channel

    try:
        found = parse(path, 8)
    except BadPath:
        return
    for name in found:
        try:
            check_channel(name)
        except InvalidChannel as problem:
            raise AssertionError(name) from problem


def test_only_a_listener_looks_back():
    assert names("news.b10/a/a", 64) == ["news.b10", "a"]
    assert parse("news.b10.b0", 64) == {"news.b10": 0}
