"""Statistics say the same in every format, and what is odd in a name stays a part of the name."""

from xml.etree import ElementTree

import pytest
import yaml

from realtime_wall.node.introspection.statistics_formats import (
    BY_NAME,
    as_text,
    as_xml,
    as_yaml,
    content_type,
)

ODD = '<a> & "b": #c'
CHANNEL = {"channel": ODD, "published_messages": 2, "stored_messages": 1, "subscribers": 0}
SUMMARY = {
    "hostname": "h",
    "uptime": 5,
    "infos": [CHANNEL, {**CHANNEL, "channel": "- yes"}],
    "by_worker": [{"pid": "77", "subscribers": 3}],
}


def nested(element):
    """An element as a dict, a list of elements of one kind, or a text."""
    if not len(element):
        return element.text
    if {one.tag for one in element} <= {"channel", "worker"}:
        return [nested(one) for one in element]
    return {one.tag: nested(one) for one in element}


def test_yaml_says_what_json_says():
    assert yaml.safe_load(as_yaml(SUMMARY)) == SUMMARY
    assert yaml.safe_load(as_yaml(CHANNEL)) == CHANNEL
    assert yaml.safe_load(as_yaml({"infos": []})) == {"infos": []}


def test_xml_has_an_element_for_each_channel_and_worker():
    told = nested(ElementTree.fromstring(as_xml(SUMMARY)))

    assert told["hostname"] == "h"
    assert [one["name"] for one in told["infos"]] == [ODD, "- yes"]
    assert told["infos"][0]["published_messages"] == "2"
    assert told["by_worker"] == [{"pid": "77", "subscribers": "3"}]
    assert ElementTree.fromstring(as_xml(CHANNEL)).find("channel").text == ODD


def test_a_text_has_a_line_for_each_number():
    assert f"channel: {ODD}\r\npublished_messages: 2" in as_text(SUMMARY)
    assert "active_subscribers: 0\r\n" in as_text(CHANNEL)


@pytest.mark.parametrize(
    ("name", "preferred", "found"),
    [
        ("", None, "application/json"),
        ("", "text/x-json", "application/json"),
        ("", "text/xml", "text/xml"),
        ("yaml", "text/xml", "application/yaml"),
        ("xls", "text/xml", None),
    ],
)
def test_a_name_comes_before_what_is_preferred(name, preferred, found):
    assert content_type(name, preferred) == found
    assert all(content_type(one, None) for one in BY_NAME)
