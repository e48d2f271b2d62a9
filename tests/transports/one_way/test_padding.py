import json

import pytest

from realtime_wall.brokers.commands import Publish
from realtime_wall.channels.resume import NOTHING
from realtime_wall.transports.one_way.formats import EVENTS, FRAME, LINES
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.transports.one_way.padding import NONE, Padding, padding_of, problem
from tests.fakes import RecordingWire, running_node
from tests.live import wait_for

SETTING = {"[Tt]est 1": [1024, 508], "[Tt]est 2": (4097, 0), "[Tt]est": [1, 1]}


@pytest.mark.parametrize(
    ("user_agent", "padding"),
    [("a test 1", (1024, 508)), ("Test 2", (4097, 0)), ("Test 3", (1, 1)), ("Firefox", NONE), ("", NONE)],
)
def test_the_first_pattern_that_fits_a_user_agent_counts(user_agent, padding):
    assert padding_of(SETTING, user_agent) == padding
    assert padding_of({}, user_agent) == NONE


@pytest.mark.parametrize("format", [LINES, EVENTS, FRAME])
@pytest.mark.parametrize("size", [1, 100, 502, 2000])
def test_a_stream_is_padded_for_who_needs_it(format, size):
    with running_node() as node:
        wires = [RecordingWire(), RecordingWire()]
        for wire, padding in zip(wires, (NONE, Padding(1024, 508)), strict=True):
            listener = Listener(node, wire, format, chunked=False, session_key=None, padding=padding)
            listener.begin(b"", {"news": 0}, NOTHING)
        opening, padded_opening = (len(wire.written) for wire in wires)
        node.perform(Publish(channel="news", data_json=json.dumps("x" * size)))
        wait_for(lambda: node.delivered_position() == node.broker.top)

        message, padded = (
            len(wire.written) - before for wire, before in zip(wires, (opening, padded_opening), strict=True)
        )
        assert padded_opening >= 1024 > opening
        assert padded == message if message >= 508 else 508 <= padded < 520
        # It means nothing to who reads lines, events or scripts.
        heard = [wire.written.decode().replace(":" * 5, "").split() for wire in wires]
        assert [word for word in heard[1] if word.strip(":")] == [
            word for word in heard[0] if word.strip(":")
        ]


@pytest.mark.parametrize(
    ("pattern", "sizes"),
    [("[", [1, 2]), (7, [1, 2]), ("a", 5), ("a", [1]), ("a", [1, -1]), ("a", [1, 70000])],
)
def test_an_entry_that_means_nothing_has_a_problem(pattern, sizes):
    assert problem(pattern, sizes)
    assert problem("[Tt]est", [0, 512]) is None
