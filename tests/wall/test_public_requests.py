"""Only what everybody can reach is asked, unless the settings name it."""

import socket

import pytest
import requests

from realtime_wall.wall import public_requests
from realtime_wall.wall.public_requests import is_public, reason_of, session
from tests.fake_feed import FakeFeed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
    ],
)
def test_an_address_of_a_neighbour_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_one_of_the_internet_is(address):
    assert is_public(address)


def asked(url, *private_hosts):
    with session(private_hosts) as asking:
        return asking.get(url, timeout=5).status_code


@pytest.mark.threat("S54")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001"])
def test_however_it_is_written(host):
    with FakeFeed() as feed:
        url = feed.url.replace("127.0.0.1", host)
        with pytest.raises(requests.RequestException) as problem:
            asked(url)
        assert "is private" in reason_of(problem.value) or host.startswith("0x")
        assert feed.requests == []


def test_what_cannot_be_reached_says_why():
    with FakeFeed() as feed:
        url = feed.url
    for wrong, why in ((url, "refused"), ("http://no.such.example/", "no.such.example has no address")):
        with pytest.raises(requests.RequestException) as problem:
            asked(wrong, "127.0.0.1")
        assert why in reason_of(problem.value) and "PublicHTTP" not in reason_of(problem.value)


def test_a_host_that_the_settings_name_is_asked():
    with FakeFeed() as feed:
        assert asked(feed.url, "127.0.0.1") == 200
        assert asked(feed.url.replace("127.0.0.1", "localhost"), "localhost") == 200


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(monkeypatch):
    """Else it may be answered with a public address first, and with another one a moment later."""
    lookups, look_up = [], socket.getaddrinfo

    def answer_otherwise(host, *args, **options):
        if host != "feeds.example":
            return look_up(host, *args, **options)
        lookups.append(host)
        return look_up("127.0.0.1" if len(lookups) == 1 else "127.0.0.2", *args, **options)

    with FakeFeed() as feed:
        monkeypatch.setattr(public_requests.socket, "getaddrinfo", answer_otherwise)
        assert asked(feed.url.replace("127.0.0.1", "feeds.example"), "127.0.0.1") == 200
    assert lookups == ["feeds.example"]


def test_nothing_is_taken_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password tide\n")
    (tmp_path / "netrc").chmod(0o600)
    with FakeFeed() as feed:
        assert asked(feed.url, "127.0.0.1") == 200
        assert "authorization" not in feed.requests[0]
