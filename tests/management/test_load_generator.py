"""A load as a site's people run it: what is told of it is what has happened."""

import json

import pytest

from realtime_wall.management.load_generator import Latencies
from tests.live import LiveServer

CHANNELS = {"load.*": {"READ": "token"}, "*": {}}


@pytest.fixture(scope="module")
def server():
    with LiveServer(settings={"CHANNELS": CHANNELS, "ADDRESS_CONNECTIONS": 500}) as running:
        yield running
        assert "Traceback" not in running.output


def test_everybody_hears_everything_and_it_is_counted(server):
    said = server.manage(
        *("realtime", "load", server.url, "--json"),
        *("--connections", "20", "--joins", "200", "--channels", "2", "--rate", "20", "--seconds", "0.5"),
    )

    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["joined"] == 20
    assert told["published"] == 10
    assert told["delivered"] == told["expected"] == 100
    assert told["problems"] == {} and told["gaps"] == 0
    assert 0 < told["delivery_seconds"]["p50"] <= told["delivery_seconds"]["max"] < 20


def test_who_is_refused_is_told_why_and_the_status_says_it(server):
    said = server.manage(
        "realtime", "load", f"{server.url}nowhere/", "--connections", "2", "--seconds", "0.1"
    )

    assert said.returncode == 1
    assert "Joined:     0 of 2" in said.stdout
    assert "2 x    refused: 404" in said.stdout


def test_latencies_are_told_by_their_shares():
    latencies = Latencies()
    assert latencies.at(0.5) is None
    for milliseconds in range(1, 101):
        latencies.add(milliseconds / 1000)

    assert [latencies.at(share) for share in (0.5, 0.99, 1.0)] == pytest.approx(
        [0.05, 0.099, 0.1], abs=0.0002
    )
