"""What the doctor has found is said in words, with the lines that mend it."""

import json
import socket
from argparse import ArgumentParser
from types import SimpleNamespace

import pytest
from django.core.management.base import CommandError
from gevent.server import StreamServer

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


# What answers instead of the live server, in bytes.
INSTEAD = {
    "other-site": "200 OK\r\nContent-Type: text/html\r\n\r\n<p>Welcome",
    "nobody-behind": "502 Bad Gateway\r\n\r\n",
    "password": '401 Unauthorized\r\nWWW-Authenticate: Basic realm="staging"\r\n\r\n',
    "forbidden": "403 Forbidden\r\nContent-Type: text/html\r\n\r\n",
    "other-key": "403 Forbidden\r\nX-Nginx-PushStream-Explain: no token\r\n\r\n",
    "no-live-addresses": "404 Not Found\r\n\r\n",
    "host-refused": "400 Bad Request\r\n\r\n<h1>Bad Request (400)</h1>",
    "other-server": "503 Service Unavailable\r\n\r\nno live server\n",
    "redirected": "302 Found\r\nLocation: /health/seen/?token=again\r\n\r\n",
    "no-answer": "500 Internal Server Error\r\n\r\n",
}


@pytest.fixture
def instead():
    """Something else at an address."""
    servers = []

    def start(answer):
        def serve(connection, _):
            connection.recv(65536)
            connection.sendall(answer.encode())

        servers.append(StreamServer(("127.0.0.1", 0), serve))
        servers[-1].start()
        return f"127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("name", INSTEAD)
def test_what_answers_instead_of_the_server_is_named(name, instead):
    url = f"http://{instead(f'HTTP/1.1 {INSTEAD[name]}')}"

    findings = doctor_command.examine(options(url), lambda what: None).findings

    assert findings[-1].name == name


@pytest.mark.parametrize(
    ("scheme", "answer", "name"),
    [
        ("https", "HTTP/1.1 400 Bad Request\r\n\r\n", "no-tls"),
        ("http", "", "no-answer"),
        ("http", "220 smtp\r\n", "no-answer"),
    ],
)
def test_what_speaks_something_else_is_named(scheme, answer, name, instead):
    url = f"{scheme}://{instead(answer)}"

    findings = doctor_command.examine(options(url, "--timeout", "5"), lambda what: None).findings

    assert [finding.name for finding in findings] == [name]


def test_a_name_without_an_address_is_named(monkeypatch):
    def unknown(*_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)

    findings = doctor_command.examine(options("https://nowhere.example/"), lambda what: None).findings

    assert [finding.name for finding in findings] == ["no-such-host"]
