import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.push_stream import Item, as_json, as_script_call, template

NOON = 1_780_056_000.7


def item(text="hello", **fields):
    known = {"id": 7, "channel": "news", "cursor": "e:9", "time": NOON, "tag": "9"}
    return Item(data_json=json.dumps(text, ensure_ascii=False), **{**known, **fields})


def test_a_message_as_json_says_what_push_streams_clients_look_for_and_our_cursor():
    assert json.loads(as_json(item({"a": 1}, event="said", event_id="n1"))) == {
        "id": 7,
        "channel": "news",
        "text": {"a": 1},
        "tag": "9",
        "time": "Fri, 29 May 2026 12:00:00 GMT",
        "eventid": "n1",
        "cursor": "e:9",
        "event": "said",
    }


@pytest.mark.threat("S55")
@given(st.text(), st.text(), st.text())
def test_no_text_breaks_out_of_the_json(text, channel, event_id):
    found = json.loads(as_json(item(text, channel=channel, event_id=event_id)))

    assert (found["text"], found["channel"], found["eventid"]) == (text, channel, event_id)


@pytest.mark.threat("S56")
@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--", "\u2028\u2029", "'\"\\", "]]>", "&lt;"]
)
def test_no_text_breaks_out_of_the_script(text):
    call = as_script_call(item(text, channel=text, event_id=text))

    inside = re.fullmatch(r"<script>p\((.*)\);</script>\r\n", call)[1]
    assert not re.search("[<>&\u2028\u2029]", inside)
    assert json.loads(f"[{inside}]") == [7, text, text, text, "Fri, 29 May 2026 12:00:00 GMT", "9"]


def test_a_template_is_filled_with_what_the_message_has():
    fill = template("~id~|~text~|~size~|~channel~|~time~|~tag~|~event-id~|~event-type~|~other~|~")

    assert fill(item("né", event="said", event_id="n1")) == (
        "7|né|3|news|Fri, 29 May 2026 12:00:00 GMT|9|n1|said|~other~|~"
    )
    assert template("~event-id~~event-type~~text~")(item({"a": [1]}, time=0.0)) == '{"a": [1]}'


@pytest.mark.threat("S57")
def test_what_is_filled_in_is_not_filled_again():
    fill = template("~text~~id~")

    assert fill(item("~id~~text~~channel~" * 3)) == "~id~~text~~channel~" * 3 + "7"


@pytest.mark.threat("S57")
def test_a_text_of_nothing_but_tokens_costs_no_more_than_another():
    assert len(template("~text~")(item("~text~" * 100_000))) == 600_000
