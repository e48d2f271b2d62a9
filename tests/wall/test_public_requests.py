"""Only what everybody can reach is asked, unless the settings name it."""

import socket

import pytest
import requests

from realtime_wall.wall import public_addresses
from realtime_wall.wall.public_requests import is_private, reason_of, session
from tests.fake_feed import FakeFeed


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
        assert is_private(problem.value) or host.startswith("0x")
        assert feed.requests == []


def test_what_cannot_be_reached_says_why():
    with FakeFeed() as feed:
        url = feed.url
    for wrong, why in ((url, "refused"), ("http://no.such.example/", "no.such.example has no address")):
        with pytest.raises(requests.RequestException) as problem:
            asked(wrong, "127.0.0.1")
        assert why in reason_of(problem.value) and "PublicHTTP" not in reason_of(problem.value)
        assert not is_private(problem.value)


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
        monkeypatch.setattr(public_addresses.socket, "getaddrinfo", answer_otherwise)
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
