"""The composed site of the deployment page, started without Docker by the same commands."""

import ast
import re
import subprocess
import sys
from contextlib import ExitStack

import pytest
import requests

from tests.integration.test_nginx import Nginx
from tests.live import ROOT, Client, LiveServer, wait_for
from tests.redis_server import RedisServer
from tests.test_repository import instructions

CONFIGURATION = ROOT / "docs/howto/deploy/nginx-compose.conf"
ADDRESS = "0.0.0.0:8000"

pytestmark = [pytest.mark.nginx, pytest.mark.redis]


class ComposedNginx(Nginx):
    def configuration(self):
        site = CONFIGURATION.read_text().replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        for name, server in zip(("site1", "site2"), self.upstream, strict=True):
            site = site.replace(f"{name}:8000", server.host)
        return site


@pytest.fixture
def site(tmp_path):
    """nginx and two servers, started as the image does."""
    *_, command, first, address = ast.literal_eval(instructions()["CMD"])
    assert (command, address) == ("rungevent", ADDRESS)
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        settings = {"BROKER": redis.url, "HEALTH_PATH": "/healthz"}
        servers = [
            stack.enter_context(LiveServer(address="127.0.0.1:0", arguments=[first], settings=settings))
            for _ in range(2)
        ]
        nginx = ComposedNginx(tmp_path, servers)
        stack.callback(nginx.stop)
        wait_for(nginx.is_listening, "nginx")
        yield nginx, servers


def health(server):
    """What the image's HEALTHCHECK runs."""
    _, *arguments = ast.literal_eval(re.search(r"CMD (\[.*\])", instructions()["HEALTHCHECK"])[1])
    here = [argument.replace("127.0.0.1:8000", server.host) for argument in arguments]
    return subprocess.run([sys.executable, *here], capture_output=True, timeout=20).returncode


def test_two_servers_are_one_site_and_one_may_be_stopped(site):
    nginx, servers = site
    urls = [f"ws://{server.host}/ws/" for server in servers]
    page = requests.get(f"http://localhost:{nginx.port}/hello/", timeout=10)
    with Client(urls[0]) as ada, Client(urls[1]) as grace, Client(f"ws://localhost:{nginx.port}/ws/") as any_:
        for client in (ada, grace, any_):
            client.subscribe("lobby")
        done = servers[0].manage("realtime", "publish", "lobby", "hi")
        heard = [client.read()["message"] for client in (ada, grace, any_)]

    assert page.text == "hello"
    assert done.returncode == 0, done.stderr
    assert heard == ["hi"] * 3

    assert [health(server) for server in servers] == [0, 0]

    assert servers[1].stop() == 0

    assert health(servers[1]) != 0
    for _ in range(3):
        assert requests.get(f"http://localhost:{nginx.port}/hello/", timeout=10).text == "hello"
