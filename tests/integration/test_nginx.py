"""The deployment page's nginx configuration, behind which the site really runs."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live import ROOT, Client, LiveServer, wait_for

CONFIGURATION = ROOT / "docs" / "howto" / "deploy" / "nginx.conf"
MAIN = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """Debian's nginx with the documented server block, its names and places replaced by the test's."""

    def __init__(self, directory: Path, upstream: Path):
        self.port = free_port()
        self.upstream = upstream
        (directory / "site.conf").write_text(self.configuration())
        (directory / "nginx.conf").write_text(MAIN.format(directory=directory))
        self.log = directory / "error.log"
        command = ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")]
        # As root it would serve as another user, who may not enter the test's directory.
        if os.getuid() == 0:
            command += ["-g", "user root;"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def configuration(self):
        site = CONFIGURATION.read_text()
        for documented, ours in (
            ("unix:/run/site/site.sock", f"unix:{self.upstream}"),
            ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("www.example.com", "localhost"),
        ):
            assert documented in site
            site = site.replace(documented, ours)
        return site

    def is_listening(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def behind_nginx(tmp_path):
    upstream = tmp_path / "site.sock"
    with LiveServer(address=f"unix:{upstream}") as server:
        nginx = Nginx(tmp_path, upstream)
        try:
            wait_for(nginx.is_listening, "nginx")
            yield nginx, server
        finally:
            nginx.stop()


pytestmark = pytest.mark.nginx


def test_pages_and_sockets_work_behind_nginx(behind_nginx):
    nginx, server = behind_nginx
    host = f"localhost:{nginx.port}"

    page = requests.get(f"http://{host}/hello/", timeout=10)
    with Client(f"ws://{host}/ws/", origin=f"http://{host}") as client:
        answer = client.ask("who")
        code = "from realtime_wall import broadcast; print(broadcast('hi').sockets)"
        receipt = server.manage("shell", "-v0", "-c", code)
        broadcast = client.read()

    assert page.text == "hello"
    assert answer["host"] == host
    assert receipt.stdout.strip() == "1", receipt.stderr
    assert broadcast["message"] == "hi"


def test_the_origin_check_sees_the_visitors_site_behind_nginx(behind_nginx):
    nginx, _ = behind_nginx

    with pytest.raises(InvalidStatus, match="HTTP 403"):
        Client(f"ws://localhost:{nginx.port}/ws/", origin="http://other.example")


def test_a_restart_behind_nginx_tells_clients_to_come_back(behind_nginx):
    nginx, server = behind_nginx
    with Client(f"ws://localhost:{nginx.port}/ws/") as client:
        status = server.stop()

        with pytest.raises(ConnectionClosed, match="1012"):
            client.read()

    assert status == 0
