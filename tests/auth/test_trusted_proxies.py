import pytest

from realtime_wall.auth.trusted_proxies import are_trusted, problem


@pytest.mark.parametrize(
    ("peer", "entries"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("127.0.0.1", ["127.0.0.0/8"]),
        ("10.9.8.7", ["192.0.2.1", "10.0.0.0/8"]),
        ("10.9.8.7", ["10.1.2.3/8"]),  # as people write it
        ("2001:db8::5", ["2001:db8::/32"]),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"]),
        ("fe80::1%eth0", ["fe80::/10"]),
        ("", ["unix"]),
    ],
)
def test_a_proxy_is_trusted_by_its_address_its_network_or_its_socket(peer, entries):
    assert are_trusted(peer, entries)


@pytest.mark.parametrize(
    ("peer", "entries"),
    [
        ("127.0.0.1", []),
        ("11.0.0.1", ["10.0.0.0/8"]),
        ("10.0.0.1", ["2001:db8::/32", "unix"]),
        ("", ["127.0.0.1", "0.0.0.0/0"]),
        ("nonsense", ["0.0.0.0/0"]),
        ("127.0.0.1", ["localhost", "10.0.0.0/99"]),
    ],
)
def test_nobody_else_is(peer, entries):
    assert not are_trusted(peer, entries)


@pytest.mark.parametrize("entry", ["localhost", "10.0.0.0/99", "*", "", "10.0.0", "unix:/run/x"])
def test_what_can_never_match_has_a_problem(entry):
    assert repr(entry) in problem(entry)


@pytest.mark.parametrize("entry", ["unix", "10.1.2.3", "10.0.0.0/8", "::1", "2001:db8::/32"])
def test_what_can_match_has_none(entry):
    assert problem(entry) is None
