import pytest

from realtime_wall.config import from_mapping
from realtime_wall.sockets.budgets.account import LARGE_BATCH, LATEST, LONG_BATCH, Account
from realtime_wall.sockets.budgets.budget import SUBSCRIBES
from realtime_wall.sockets.budgets.visitors import Visitors

NOW = 1000.0


@pytest.fixture
def visitors():
    users = {}
    settings = {"SUBSCRIBE_RATE": 1.0, "EVENT_RATE": 10.0, "EVENT_RATES": {"typing": 0.1}}
    config = from_mapping({**settings, "ADDRESS_BUDGET": 3.0, "USER_BUDGET": 2.0})
    visitors = Visitors(config, users.get)
    visitors.known_users = users
    return visitors


def test_it_is_settled_after_so_many_frames_or_bytes_or_seconds(visitors):
    account = Account(visitors, None)
    assert account.note_read(1, 10, NOW)  # the first time, to find out whose it is
    account.settle(NOW)

    assert not account.note_read(visitors.batch - 1, 10, NOW)
    assert account.note_read(1, 10, NOW)
    account.settle(NOW)
    assert account.note_read(1, LARGE_BATCH, NOW)
    account.settle(NOW)
    account.seconds += LONG_BATCH
    assert account.note_read(1, 10, NOW)
    account.settle(NOW)
    assert not account.note_read(1, 10, NOW + LATEST - 1)
    assert account.note_read(1, 10, NOW + LATEST)


def test_only_who_sends_an_event_with_a_rate_of_its_own_is_settled_after_a_few_of_it():
    config = from_mapping({"FRAME_BURST": 10_000, "EVENT_RATE": 1e6, "EVENT_RATES": {"report": 0.1}})
    visitors = Visitors(config, {}.get)
    reporter, other = Account(visitors, None), Account(visitors, None)
    for account in (reporter, other):
        account.settle(NOW)

    for _ in range(16):
        reporter.note_event("report")
        other.note_event("move")

    assert reporter.note_read(17, 10, NOW)
    assert not other.note_read(17, 10, NOW)


def test_it_is_settled_with_the_next_frame_after_a_subscribe(visitors):
    account = Account(visitors, None)
    account.settle(NOW)
    assert not account.note_read(1, 10, NOW)

    account.note_subscribes(2)

    assert account.subscribes == 2
    assert account.note_read(1, 10, NOW)


@pytest.mark.threat("S63")
def test_each_connection_has_a_budget_of_its_own(visitors):
    one, other = Account(visitors, None), Account(visitors, None)
    one.subscribes += 11
    other.subscribes += 1

    assert one.settle(NOW) == 1
    assert other.settle(NOW) == 0
    assert one.settle(NOW) == 0  # what was paid for is not paid for again


def test_an_event_counts_for_all_events_and_for_its_name_when_that_has_a_rate(visitors):
    account = Account(visitors, None)
    for _ in range(2):
        account.note_event("typing")
    for name in range(1000):
        account.note_event(f"stranger-{name}")

    assert account._named == {"EVENT_RATES['typing']": 2}
    assert account.events == 1002
    assert account.settle(NOW) > 0


@pytest.mark.threat("S63")
def test_all_connections_of_an_address_share_one(visitors):
    accounts = [Account(visitors, visitors.at("1.2.3.4")) for _ in range(4)]
    for account in accounts:
        account.subscribes += 9

    assert [account.settle(NOW) > 0 for account in accounts] == [False, False, False, True]
    other = Account(visitors, visitors.at("1.2.3.5"))
    other.subscribes += 10
    assert other.settle(NOW) == 0


def test_all_connections_of_a_user_share_one_as_soon_as_he_is_known(visitors):
    accounts = [Account(visitors, None) for _ in range(3)]
    for account in accounts:
        account.belongs_to("key")
        account.settle(NOW)
    visitors.known_users["key"] = "7"
    for account in accounts:
        account.subscribes += 9

    assert [account.settle(NOW) > 0 for account in accounts] == [False, False, True]
    assert visitors.user_of("key").connections == 3
    for account in accounts:
        account.close()
        account.close()
    assert visitors.user_of("key").connections == 0


def test_a_connection_of_a_known_user_counts_at_once_and_once(visitors):
    visitors.known_users["key"] = "7"
    account = Account(visitors, None)
    for _ in range(3):  # namespaces
        account.belongs_to("key")
        account.settle(NOW)

    assert visitors.user_of("key").connections == 1
    account.close()
    assert visitors.user_of("key").connections == 0


def test_who_only_listens_has_no_budget_of_its_own(visitors):
    account = Account(visitors, visitors.at("1.2.3.4"))
    for _ in range(3):  # pongs
        account.note_read(1, 10, NOW)
        assert account.settle(NOW) == 0
    assert account._own is None

    account.note_read(1, 10, NOW)
    account.subscribes += 11
    assert account.settle(NOW) == 1


def test_who_hangs_up_at_once_pays_all_the_same(visitors):
    address = visitors.at("1.2.3.4")
    account = Account(visitors, address)
    account.note_read(10, 100, NOW)
    account.subscribes += 10
    account.close()

    assert not address.budget.is_full(NOW)


def test_what_slowing_down_was_of_no_use_for_is_named(visitors):
    account = Account(visitors, visitors.at("1.2.3.4"))
    assert account.exceeded(NOW, 30.0) is None
    account.subscribes += 21
    account.settle(NOW)

    assert account.exceeded(NOW, 30.0) == SUBSCRIBES
