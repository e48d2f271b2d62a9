import logging

from realtime_wall.brokers.redis.outage import Outage


def test_it_is_tried_again_sooner_at_first_and_not_by_all_at_once():
    outage = Outage("reading")

    pauses = [outage.lasts("gone") for _ in range(12)]

    for number, pause in enumerate(pauses):
        longest = min(0.1 * 2**number, 5.0)
        assert longest / 2 <= pause <= longest
    assert len(set(pauses)) == len(pauses)


def test_somebody_who_waits_is_not_made_to_wait_long():
    outage = Outage("publisher", 0.5)

    assert max(outage.lasts("gone") for _ in range(12)) <= 0.5


def test_it_is_told_once_when_it_begins_and_once_when_it_is_over(caplog):
    outage = Outage("reading from redis://127.0.0.1")
    with caplog.at_level(logging.INFO):
        outage.over()
        for _ in range(3):
            outage.lasts(ConnectionError("refused"))
        outage.over()
        outage.over()
        outage.lasts(ConnectionError())

    first, second, third = caplog.messages
    assert first == "reading from redis://127.0.0.1: refused; trying again"
    assert "well again after" in second
    assert "ConnectionError" in third


def test_after_it_is_over_it_begins_anew():
    outage = Outage("reading")
    for _ in range(9):
        outage.lasts("gone")
    outage.over()

    assert not outage
    assert outage.lasts("gone") <= 0.1
    assert outage
