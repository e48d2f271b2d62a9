import logging

import pytest

from realtime_wall.config import from_mapping
from realtime_wall.sockets.budgets import visitors as visitors_module
from realtime_wall.sockets.budgets.budget import SUBSCRIBES
from realtime_wall.sockets.budgets.visitors import FORGET_EVERY, LEAST, Visitors


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(visitors_module, "monotonic", lambda: now[0])
    return now


def of(**settings):
    return Visitors(from_mapping(settings), {"key": "7"}.get)


def test_an_address_that_nobody_knows_is_no_visitor(clock):
    visitors = of(ADDRESS_CONNECTIONS=1)

    assert visitors.at("") is None
    assert visitors.refuse_client("", None) == 0


def test_one_address_is_accepted_so_often_and_refused_ones_do_not_count(clock):
    visitors = of(ADDRESS_ACCEPT_RATE=1.0)
    one, other = visitors.at("1.2.3.4"), visitors.at("1.2.3.5")

    assert [visitors.refuse_connection(one) for _ in range(11)] == [0] * 11
    assert [visitors.refuse_connection(one) for _ in range(1000)] == [LEAST] * 1000
    assert visitors.refuse_connection(other) == 0
    clock[0] += 1.5
    assert visitors.refuse_connection(one) == 0
    assert visitors.refused == 1000


def test_one_address_opens_so_many_sessions_though_they_share_a_connection_or_a_proxy(clock):
    visitors = of(ADDRESS_ACCEPT_RATE=1.0)

    assert [visitors.refuse_client("1.2.3.4", None, True) for _ in range(11)] == [0] * 11
    assert visitors.refuse_client("1.2.3.4", None, True) == LEAST
    assert visitors.refuse_client("1.2.3.5", None, True) == 0
    clock[0] += 1.5
    assert visitors.refuse_client("1.2.3.4", None, True) == 0
    assert [visitors.refuse_client("1.2.3.6", None) for _ in range(20)] == [0] * 20  # their connections count


@pytest.mark.parametrize("who", ["address", "user"])
def test_one_has_so_many_connections(clock, who):
    visitors = of(**{f"{who.upper()}_CONNECTIONS": 2})
    visitor = visitors.at("1.2.3.4") if who == "address" else visitors.user_of("key")
    assert visitors.refuse_client("1.2.3.4", "key") == 0

    visitor.connections = 2
    assert visitors.refuse_client("1.2.3.4", "key") == LEAST
    if who == "address":
        assert visitors.refuse_connection(visitor) == LEAST
    visitor.connections = 1
    assert visitors.refuse_client("1.2.3.4", "key") == 0


def test_who_owes_something_does_not_come_back_before_it_is_paid(clock):
    visitors = of(SUBSCRIBE_RATE=1.0, ADDRESS_BUDGET=1.0)
    visitors.at("1.2.3.4").budget.take({SUBSCRIBES: 17}, clock[0])

    assert visitors.refuse_client("1.2.3.4", None) == 7
    assert visitors.refuse_connection(visitors.at("1.2.3.4")) == 0  # for a page of the site
    clock[0] += 8
    assert visitors.refuse_client("1.2.3.4", None) == 0


def test_the_log_has_who_is_refused_once_in_a_while(clock, caplog):
    visitors = of(ADDRESS_CONNECTIONS=1)
    visitors.at("1.2.3.4").connections = 1
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            visitors.refuse_client("1.2.3.4", None)
        visitors.tick(clock[0])
        visitors.refuse_client("1.2.3.4", None)

    lines = ["1.2.3.4: no more connections for now (ADDRESS_CONNECTIONS)"] * 2
    assert [record.message for record in caplog.records] == lines


def test_who_is_gone_is_remembered_until_all_is_paid(clock):
    visitors = of(SUBSCRIBE_RATE=1.0, ADDRESS_BUDGET=1.0)
    gone, owing, here = (visitors.at(f"1.2.3.{number}") for number in range(3))
    owing.budget.take({SUBSCRIBES: 5}, clock[0])
    here.connections = 1
    visitors.user_of("key")

    assert visitors.tick(clock[0]) == FORGET_EVERY
    assert set(visitors._addresses.values()) == {owing, here}
    assert not visitors._users
    visitors.tick(clock[0] + 5)
    assert set(visitors._addresses.values()) == {here}


def test_a_proxy_that_nobody_has_named_is_in_the_log_once(caplog):
    visitors = of()
    for _ in range(3):
        visitors.speaks_for_others("172.17.0.1")

    (record,) = caplog.records
    assert "172.17.0.1" in record.message
    assert visitors.proxies == {"172.17.0.1"}


def test_what_was_counted_of_an_address_goes_with_it_once_it_shows_to_be_a_proxy():
    visitors = of()
    counted = visitors.at("172.17.0.1")
    counted.connections += 1  # of a connection that will not be taken off it

    visitors.speaks_for_others("172.17.0.1")

    assert visitors.at("172.17.0.1") is not counted


def test_without_limits_nobody_is_refused(clock):
    settings = (
        "ADDRESS_CONNECTIONS",
        "USER_CONNECTIONS",
        "ADDRESS_BUDGET",
        "USER_BUDGET",
        "ADDRESS_ACCEPT_RATE",
    )
    visitors = of(**dict.fromkeys(settings, 0))
    visitor = visitors.at("1.2.3.4")
    visitor.connections = 10**6
    visitor.budget.take({SUBSCRIBES: 10**6}, clock[0])

    assert not any(visitors.refuse_connection(visitor) for _ in range(10_000))
    assert visitors.refuse_client("1.2.3.4", "key") == 0
