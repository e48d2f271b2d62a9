import time

import pytest

from realtime_wall.protocol.websocket.deflate_offer import accept

AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offer", "window_bits", "answer"),
    [
        ("permessage-deflate", 15, AGREED),
        ("permessage-deflate; client_max_window_bits", 15, AGREED),  # browsers'
        (' permessage-deflate ;client_max_window_bits = "10" ', 15, AGREED),
        ("permessage-deflate; client_no_context_takeover; server_no_context_takeover", 15, AGREED),
        ("permessage-deflate; server_max_window_bits=15", 15, AGREED),
        ("permessage-deflate; server_max_window_bits=9", 9, f"{AGREED}; server_max_window_bits=9"),
        ("x-webkit-deflate-frame, permessage-deflate", 15, AGREED),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", 15, AGREED),  # the second
    ],
)
def test_the_first_offer_that_can_be_met_is_accepted_without_context_takeover(offer, window_bits, answer):
    assert accept(offer) == (window_bits, answer)


@pytest.mark.threat("S12")
@pytest.mark.parametrize(
    "parameters",
    [
        "server_max_window_bits",
        "server_max_window_bits=8",  # zlib cannot
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=999",
        "server_max_window_bits=010",
        "server_max_window_bits=\N{ARABIC-INDIC DIGIT NINE}",
        "client_max_window_bits=16",
        "client_max_window_bits=",
        "server_no_context_takeover=1",
        "client_no_context_takeover=",
        "client_max_window_bits; client_max_window_bits",
        "unknown",
        "",
        '"client_max_window_bits"',
    ],
)
def test_an_offer_with_a_parameter_that_is_not_as_it_has_to_be_is_declined(parameters):
    assert accept(f"permessage-deflate; {parameters}") is None


@pytest.mark.parametrize(
    "header", ["", ",", ";", "x-webkit-deflate-frame", "permessage-deflate2", "PERMESSAGE"]
)
def test_what_is_no_offer_of_it_is_no_matter(header):
    assert accept(header) is None


@pytest.mark.threat("S12")
@pytest.mark.parametrize(
    "unit", [",", ";", "permessage-deflate;a=b,", '"\\', "permessage-deflate;a;", " ", "="]
)
def test_eight_kilobytes_of_anything_are_read_in_a_moment(unit):
    header = "permessage-deflate;" + unit * (8192 // len(unit))
    took = []
    for _ in range(5):
        before = time.thread_time()
        accept(header)
        took.append(time.thread_time() - before)

    assert min(took) < 0.001
