import pytest
from django.test import RequestFactory

from realtime_wall.auth.visitor_address import address_of, home_of, source_of, visitor_address

PROXIES = ["127.0.0.1", "10.0.0.0/8", "unix"]


@pytest.mark.threat("S29")
@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # no proxy of ours
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "a lie, 203.0.113.7, 10.1.2.3", "203.0.113.7"),  # each proxy adds to what it was given
        ("127.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("", "[2001:db8:1:2:3::1]:4711", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2:3::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", "unknown", "unknown"),
        # Nobody knows
        ("127.0.0.1", None, ""),
        ("127.0.0.1", "127.0.0.1", ""),
        ("127.0.0.1", " , ", ""),
        ("", None, ""),
    ],
)
def test_a_visitors_address_is_what_the_outermost_trusted_proxy_says(peer, forwarded, address):
    meta = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded

    assert address_of(meta, PROXIES) == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "2001:db8:1:2:3::1", "2001:db8:1:2:3::1"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "", ""),
    ],
)
def test_people_read_the_address_itself_or_whose_connection_it_is(peer, forwarded, source):
    assert source_of({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}, PROXIES) == source


@pytest.mark.parametrize(("network", "address"), [(False, "2001:db8:1:2:3::1"), (True, "2001:db8:1:2::/64")])
def test_a_view_counts_by_the_address_that_a_trusted_proxy_says(network, address):
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR="2001:db8:1:2:3::1")
    assert visitor_address(request, network=network) == address


@pytest.mark.parametrize(("peer", "address"), [("172.17.0.1", ""), ("1.2.3.4", "1.2.3.4")])
def test_a_proxy_that_nobody_has_named_is_not_taken_for_one_visitor(peer, address):
    """One of the open internet may be a visitor who only says that he is one."""
    assert address_of({"REMOTE_ADDR": peer}, PROXIES, is_forwarded=True) == address


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", "no address"),
    ],
)
def test_a_home_has_one_address_of_ipv4_or_64_bits_of_ipv6(address, home):
    assert home_of(address) == home
