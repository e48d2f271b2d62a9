import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.event_stream import comment_text, event_text, position_text, retry_text


def read(text):
    """What a browser makes of a stream: the standard's algorithm, section 9.2.6, by the letter."""
    events, data, name, last_id = [], [], "", ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line == "":
            if data:
                events.append((name or "message", "\n".join(data), last_id))
            data, name = [], ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            last_id = value
    return events, last_id


def test_an_event_has_its_name_and_its_id():
    assert event_text("text", id="e:1", event="said") == "id: e:1\nevent: said\ndata: text\n\n"
    assert event_text("text") == "data: text\n\n"


@pytest.mark.threat("S55")
def test_a_text_of_several_lines_arrives_as_one_event():
    events, _ = read(event_text("one\r\ntwo\rthree\nfour\n"))

    assert events == [("message", "one\ntwo\nthree\nfour\n", "")]


@pytest.mark.threat("S55")
@given(st.text())
def test_no_text_can_write_an_event_of_its_own(text):
    events, last_id = read(event_text(text, id="e:1", event="said"))

    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert events == [("said", expected, "e:1")]
    assert last_id == "e:1"


def test_a_position_moves_the_id_and_tells_the_page_nothing():
    assert read(event_text("a", id="e:1") + position_text("e:9")) == ([("message", "a", "e:1")], "e:9")


@given(st.text())
def test_comments_and_retries_tell_the_page_nothing(text):
    assert read(comment_text(text) + retry_text(2000)) == ([], "")
