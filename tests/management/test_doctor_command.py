"""What the doctor has found is said in words, with the lines that mend it."""

import json
from argparse import ArgumentParser
from types import SimpleNamespace

import pytest
from django.core.management.base import CommandError

from realtime_wall.management import doctor_command
from realtime_wall.management.doctor import cures
from realtime_wall.management.doctor.faults import ADVICE, FAULTS, Finding
from realtime_wall.management.doctor.outside import Site
from tests.live import ROOT


def found(*names, proxy=None):
    site = Site("https://www.example.org/", "token")
    return SimpleNamespace(site=site, proxy=proxy, findings=[Finding(name, "(a detail)") for name in names])


def options(*arguments):
    parser = ArgumentParser()
    doctor_command.add_arguments(parser)
    return vars(parser.parse_args(arguments))


def test_the_lines_of_the_proxy_that_is_there_are_printed():
    told = doctor_command.for_people(found("no-upgrade", proxy="nginx"), None)

    assert "no-upgrade: The WebSocket's Upgrade does not reach the server. (a detail)" in told
    assert "nginx     map $http_upgrade" in told
    assert "proxy_set_header Upgrade $http_upgrade;" in told
    assert "haproxy" not in told


def test_where_nobody_says_who_is_in_front_all_are_printed():
    told = doctor_command.for_people(found("stream-buffered"), None)

    assert all(proxy in told for proxy in cures.PROXIES)


def test_what_is_mended_in_the_settings_names_the_site():
    told = doctor_command.for_people(found("host-refused", "origin-refused", "scheme-lost"), "nginx")

    assert 'ALLOWED_HOSTS = ["www.example.org"]' in told
    assert '"ALLOWED_ORIGINS": ["https://www.example.org"]' in told
    assert "SECURE_PROXY_SSL_HEADER = " in told


def test_each_fault_has_a_cure_or_is_its_own():
    says_it_all = {
        *("no-such-host", "nobody-listens", "no-answer", "no-tls", "certificate", "redirected"),
        *("other-key", "few-descriptors"),
    }

    assert FAULTS.keys() - cures.FOR.keys() - cures.SETTINGS.keys() == says_it_all
    assert ADVICE | cures.FOR.keys() | cures.SETTINGS.keys() <= FAULTS.keys()
    for fault in FAULTS:
        assert all(line.strip() for proxy in cures.PROXIES for line in cures.lines_for(fault, proxy))


def test_programs_read_json():
    told = json.loads(doctor_command.as_json(found("no-http2", proxy="caddy")))

    assert told["proxy"] == "caddy"
    assert [(one["name"], one["is_advice"]) for one in told["findings"]] == [("no-http2", True)]
    assert doctor_command.for_people(found(), None) == "Nothing is wrong."


@pytest.mark.parametrize("url", ["example.org", "ws://example.org/", "https://example.org/?a=b"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(CommandError, match="no address of a site"):
        doctor_command.examine(options(url), lambda what: None)


def test_where_nobody_listens_that_is_said():
    examination = doctor_command.examine(options("http://127.0.0.1:1/"), lambda what: None)

    assert [finding.name for finding in examination.findings] == ["nobody-listens"]


def test_each_fault_is_documented():
    page = (ROOT / "docs/howto/doctor.rst").read_text()

    assert [fault for fault in FAULTS if f"``{fault}``" not in page] == []
