"""The doctor names what is wrong between it and a real server behind a real nginx, and nothing else.

Each planted mistake is a server block on a port of its own. A few are tried each time, all by ``make prove``.
"""

import json
import os
import socket
import subprocess
import sys

import pytest

from realtime_wall.auth.channel_token import channel_token
from realtime_wall.management import doctor_command
from realtime_wall.management.doctor.examination import Examination
from realtime_wall.management.doctor.faults import FAULTS
from realtime_wall.management.doctor.outside import Site
from tests.integration.test_nginx import Nginx, free_port
from tests.live import LiveServer, wait_for
from tests.management.doctor.plants import PLANTS, QUICK, SOUND, UPSTREAMS

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
TRIED = PLANTS if PROVE else [next(one for one in PLANTS if one.found == name) for name in QUICK]
SITES = SOUND if PROVE else SOUND[:1]
INTERVALS = {"PING_INTERVAL": 5, "LONG_POLL_TIMEOUT": 5}
SILENT = {"", "idle-cut", "poll-cut"}  # where it is waited for silence to be cut
# A server without a network of proxies' settings can be wrong in these as well.
ALSO = {"no-http2", "certificate", "proxy-not-trusted"}

pytestmark = pytest.mark.nginx


class ManySites(Nginx):
    """One nginx with a server block for each site."""

    def __init__(self, directory, upstreams, sites):
        self.upstreams, self.sites, self.directory = upstreams, sites, directory
        self.ports = [free_port() for _ in sites]
        super().__init__(directory, None)
        self.port = self.ports[0]

    def configuration(self):
        lines = [
            "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }",
            f"proxy_cache_path {self.directory}/cache keys_zone=polls:1m;",
            "limit_conn_zone $server_port zone=few:1m;",
            "types { text/javascript js; }",
        ]
        for name, ports in self.upstreams.items():
            lines.append(f"upstream {name} {{ {''.join(f'server 127.0.0.1:{port};' for port in ports)} }}")
        for port, site in zip(self.ports, self.sites, strict=True):
            lines.append(site.block(port, self.directory))
        return "\n".join(lines)


def site_server(name):
    ours, djangos = UPSTREAMS[name]
    environment = {"SITE_SETTINGS": json.dumps(djangos)}
    return LiveServer(settings={**INTERVALS, **ours}, environment=environment)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    folder, sites = tmp_path_factory.mktemp("sites"), [*SITES, *TRIED]
    wanted = {one.upstream for one in sites} | ({"stranger"} if PROVE else set())
    servers = {name: site_server(name) for name in UPSTREAMS if name in wanted}
    wsgi = None
    try:
        for server in servers.values():
            server.start()
        upstreams = {name: [server.port] for name, server in servers.items()} | {"gone": [free_port()]}
        if PROVE:
            upstreams["apart"] = [servers["site"].port, servers["stranger"].port]
            wsgi, upstreams["wsgi"] = under_another_server(servers["site"])
            certificate(folder)
        running = ManySites(folder, upstreams, sites)
        try:
            wait_for(running.is_listening, "nginx")
            yield running
        finally:
            running.stop()
    finally:
        for server in servers.values():
            server.__exit__()
        if wsgi is not None:
            wsgi.kill()
            wsgi.wait()


def under_another_server(like):
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    environment = {**like.environment, "PYTHONWARNINGS": "ignore"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=like.project, env=environment, **quiet), [port]


def certificate(folder):
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", "site.key", "-out", "site.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def examine(nginx, site, monkeypatch):
    if site.tls and site.found != "certificate":
        monkeypatch.setenv("SSL_CERT_FILE", str(nginx.directory / "site.pem"))
    port = nginx.ports[nginx.sites.index(site)]
    url = f"http{'s' if site.tls else ''}://localhost:{port}/"
    longest = 30 if site.found in SILENT else 0
    examination = Examination(Site(url, site_token(), timeout=8.0), longest, report=lambda what: None)
    examination.run()
    return examination


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def names_found(url, longest):
    examination = Examination(Site(url, site_token(), timeout=8.0), longest, report=lambda what: None)
    examination.run()
    return {finding.name for finding in examination.findings}


def site_token():
    return channel_token("doctor.*", write=True)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.why)
def test_nothing_is_wrong_with_a_sound_site(site, nginx, monkeypatch):
    found = examine(nginx, site, monkeypatch)

    assert list(map(str, found.findings)) == []
    assert found.proxy == "nginx"


@pytest.mark.parametrize("site", TRIED, ids=lambda site: site.why)
def test_what_is_wrong_is_named(site, nginx, monkeypatch):
    found = examine(nginx, site, monkeypatch)

    names = [finding.name for finding in found.findings]
    assert site.found in names, list(map(str, found.findings))
    assert set(names) <= {site.found, *site.also} | ALSO, list(map(str, found.findings))
    told = doctor_command.for_people(found, "all")
    assert FAULTS[site.found] in told


def test_thirty_mistakes_are_planted():
    assert len(PLANTS) >= 30
    assert all(plant.found in FAULTS for plant in PLANTS)
