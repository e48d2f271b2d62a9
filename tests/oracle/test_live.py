"""A real server under a small load: it has to pass, and has to fail with any bug that is planted in it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.oracle import faults, judge
from tests.oracle.journal import CaughtUp, DisconnectUser
from tests.oracle.load import SETTINGS, Load, Size
from tests.oracle.ways import WAYS

PROVING = bool(os.environ.get("REALTIME_WALL_PROVE"))
SMALL = Size(clients=20, publishers=1, rate=80, poll_pause=0.1, patience=3, quiet=0.2)
PLANTED_SITE = Path(__file__).parent / "planted"


def watched(size, todo, bug=None):
    """What the judge says of a server to which something is done."""
    planted = {"project": PLANTED_SITE, "environment": {"PLANTED": bug}} if bug else {}
    module = "planted_settings" if bug else "site_settings"
    with LiveServer(settings=SETTINGS, **planted) as server, Load(server, size, settings=module) as load:
        report = todo(load)
    print(report.table(), report.verdicts(), sep="\n")
    return report


def cut_twice(load):
    """Enough is heard before, between and afterwards for a bug that shows now and then."""
    for share in (0.5, 1.0):
        load.hear(20 * load.size.clients)
        load.cut(share)
    load.hear(20 * load.size.clients)
    return load.finish()


def test_clients_that_are_cut_lose_nothing():
    report = watched(SMALL, cut_twice)

    assert report.judgement.verdicts == []
    assert (report.gaps, set(report.outcomes)) == (0, {"taken"})
    assert {journal.kind for journal in report.journals} == set(WAYS)
    assert len(report.events(DisconnectUser)) > SMALL.clients / 2
    assert len(report.events(CaughtUp)) >= SMALL.clients / 2


PLANTED = {
    "a_message_is_not_delivered": {judge.LOST},
    "a_resume_skips_the_first": {judge.LOST},
    "the_log_forgets_a_message": {judge.LOST},
    "one_client_is_left_out": {judge.LOST},
    "a_message_is_delivered_twice": {judge.TWICE},
    "two_messages_change_places": {judge.OUT_OF_ORDER},
    "a_resume_begins_too_early": {judge.BEFORE_CURSOR},
    "a_position_is_given_twice": {judge.ONE_PLACE},
    "a_message_is_acknowledged_before_it_is_lost": {judge.LOST, judge.ONE_PLACE},
}
SHORT = 3  # of them, so many when there is little time


@pytest.mark.parametrize("bug", list(PLANTED)[: None if PROVING else SHORT])
def test_a_bug_in_the_server_is_noticed(bug):
    report = watched(SMALL, cut_twice, bug)

    assert report.judgement.kinds & PLANTED[bug]


# As many kills as there are; in a short run one, of which everybody hears.
SECONDS = 40 if PROVING else 4
KILLS = [*faults.every(10 if PROVING else 1, faults.kill_the_server, SECONDS)][: None if PROVING else 1]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", [None, "a_gap_is_not_told"] if PROVING else [None])
def test_a_server_that_is_killed_tells_of_the_gap(bug):
    size = replace(SMALL, clients=200 if PROVING else 20, rate=50, seconds=SECONDS, patience=20)
    todo = [*KILLS, *faults.every(1.1, faults.cut(0.5), SECONDS)]

    report = watched(size, lambda load: load.run(todo), bug)

    assert bool(report.judgement.verdicts) is bool(bug)
    assert bug or report.gaps >= 2 * size.clients * len(KILLS)
