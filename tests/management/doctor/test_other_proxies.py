"""The same behind HAProxy, Caddy and Apache, where they are installed: a run of ``make prove``."""

import os
import shutil
import signal
import subprocess

import pytest

from tests.integration.test_nginx import free_port
from tests.live import wait_for
from tests.management.doctor.others import CONFIGURATIONS, MISTAKES
from tests.management.doctor.test_examination import SILENT, is_open, names_found, site_server

pytestmark = pytest.mark.prove
MODULES = "/usr/lib/apache2/modules"
COMMANDS = {
    "haproxy": ["haproxy", "-db", "-f"],
    "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config"],
    "apache2": ["apache2", "-DFOREGROUND", "-f"],
}
HERE = [name for name in CONFIGURATIONS if shutil.which(name)]
# What every one of these sites has not: a place for static files.
ALSO = {"script-missing"}


@pytest.fixture(scope="module")
def server():
    with site_server("site") as server:
        yield server


@pytest.fixture
def behind(server, tmp_path):
    running = []

    def start(proxy, change=("", "")):
        port, configuration = free_port(), tmp_path / "configuration"
        text = CONFIGURATIONS[proxy].replace(*change) if change[0] else CONFIGURATIONS[proxy]
        configuration.write_text(
            text.format(port=port, upstream=server.port, folder=tmp_path, modules=MODULES)
        )
        environment = {**os.environ, "HOME": str(tmp_path)}
        with (tmp_path / "log").open("wb") as log:
            command = [*COMMANDS[proxy], str(configuration)]
            options = {"stdout": log, "stderr": log, "env": environment, "start_new_session": True}
            running.append(subprocess.Popen(command, **options))
        wait_for(lambda: is_open(port) or running[0].poll() is not None, proxy)
        assert running[0].poll() is None, (tmp_path / "log").read_text()
        return f"http://localhost:{port}/"

    yield start
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)  # Caddy would wait for its clients; Apache has children
        process.wait(20)


@pytest.mark.parametrize("proxy", HERE)
def test_nothing_is_wrong_with_a_sound_site(proxy, behind):
    assert names_found(behind(proxy), longest=30) - ALSO == set()


@pytest.mark.parametrize(("proxy", "found", "change"), [one for one in MISTAKES if one[0] in HERE])
def test_what_is_wrong_is_named(proxy, found, change, behind):
    names = names_found(behind(proxy, change), longest=30 if found in SILENT else 0)

    assert found in names
    assert names - ALSO == {found}
