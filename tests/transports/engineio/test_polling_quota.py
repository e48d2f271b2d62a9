import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.transports.engineio.polling_quota import PollingQuota
from realtime_wall.transports.engineio.session import EngineSession
from tests.fakes import masked
from tests.transports.engineio.client import TEXT


@pytest.mark.threat("S64")
@given(st.lists(st.sampled_from(["a", "b"])), st.integers(1, 5))
def test_each_address_has_as_many_as_it_may_and_no_more(addresses, limit):
    quota = PollingQuota()

    taken = [address for address in addresses if quota.take(address, limit)]

    for address in "ab":
        assert taken.count(address) == min(addresses.count(address), limit)
    for address in taken:
        quota.give_back(address)
    assert quota._counts == {}


def test_no_limit_is_none_and_an_unknown_address_has_none():
    quota = PollingQuota()

    assert all(quota.take("a", 0) and quota.take("", 1) for _ in range(10))


def test_the_log_has_a_full_address_once_until_it_is_empty(caplog):
    quota = PollingQuota()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            quota.take("203.0.113.7", 1)
            assert not quota.take("203.0.113.7", 1)
            assert not quota.take("203.0.113.7", 1)
            quota.give_back("203.0.113.7")

    assert [record.message.split()[0] for record in caplog.records] == ["203.0.113.7"] * 2


@pytest.mark.threat("S64")
def test_a_session_that_upgrades_or_ends_polls_no_more(node, client, wire, monkeypatch):
    given_back = []
    monkeypatch.setattr(
        "realtime_wall.transports.engineio.session.quota", type("", (), {"give_back": given_back.append})
    )
    for address in ("upgraded", "ended"):
        session = EngineSession(node, "", address=address)
        session.begin(client)
        if address == "upgraded":
            session.offer(wire, masked(TEXT, "2probe") + masked(TEXT, "5"))
            assert given_back == ["upgraded"]
        session.end("over")

    assert given_back == ["upgraded", "ended"]
