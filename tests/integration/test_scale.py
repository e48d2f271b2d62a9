"""The site of ``docs/howto/scale.rst``: two servers, joined by Redis, behind nginx, by its files."""

import re
from contextlib import ExitStack

import pytest
import requests

from tests.integration.test_nginx import CONFIGURATION, Nginx
from tests.live import PATIENCE, Client, LiveServer, wait_for
from tests.redis_server import RedisServer

DEPLOY = CONFIGURATION.parent


def redis_options():
    """What the documented redis.conf says, for the command line; on the test's own address."""
    lines = (DEPLOY / "redis.conf").read_text().splitlines()
    settings = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert settings.pop("bind") == "10.0.0.10"
    assert settings.pop("requirepass") == "PASSWORD"
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


class SeveralMachines(Nginx):
    """With the documented upstream in the place of the one server's."""

    def __init__(self, directory, ports):
        upstream = (DEPLOY / "nginx-machines.conf").read_text()
        for number, port in enumerate(ports, start=11):
            assert f"10.0.0.{number}:8000" in upstream
            upstream = upstream.replace(f"10.0.0.{number}:8000", f"127.0.0.1:{port}")
        self._upstream = upstream
        super().__init__(directory, directory / "site.sock")

    def configuration(self):
        return re.sub(
            r"upstream site \{.*?\n\}", lambda _: self._upstream, super().configuration(), flags=re.S
        )


class Site:
    def __init__(self, stack, directory):
        self.redis = stack.enter_context(RedisServer(*redis_options()))
        settings = {"BROKER": self.redis.url}
        self.servers = [stack.enter_context(LiveServer(settings=settings)) for _ in range(2)]
        self.nginx = SeveralMachines(directory, [one.port for one in self.servers])
        stack.callback(self.nginx.stop)
        wait_for(self.nginx.is_listening, "nginx")

    def client(self):
        return Client(f"ws://localhost:{self.nginx.port}/ws/", origin=f"http://localhost:{self.nginx.port}")

    def ask(self, method, query, **more):
        """On a connection of its own: nginx sends it to whichever server has least to do."""
        url = f"http://localhost:{self.nginx.port}/socket.io/?EIO=4&transport=polling{query}"
        return requests.request(method, url, timeout=PATIENCE, **more)

    def say(self, text):
        told = self.servers[0].manage("realtime", "publish", "news", text)
        assert told.returncode == 0, told.stderr


@pytest.fixture
def site(tmp_path):
    with ExitStack() as stack:
        yield Site(stack, tmp_path)


@pytest.mark.nginx
def test_two_servers_behind_nginx_are_one_site(site):
    with ExitStack() as stack:
        clients = [stack.enter_context(site.client()) for _ in range(6)]
        owners = {client.session.partition(".")[0] for client in clients}
        assert len(owners) == 2
        cursors = [client.subscribe("news")["cursor"] for client in clients]

        site.say("to all")
        assert [client.read()["message"] for client in clients] == ["to all"] * 6

        # No session is sticky: each of these may come to the other server.
        sid = re.search(r'"sid":"([^"]+)"', site.ask("GET", "").text)[1]
        assert site.ask("POST", f"&sid={sid}", data="40").text == "ok"
        assert "40{" in site.ask("GET", f"&sid={sid}").text
        for _ in range(4):
            assert site.ask("POST", f"&sid={sid}", data='42["add",[1,2]]').text == "ok"

        # What came by a tunnel ends there: a connection of nginx's is not to depend on a third machine.
        url = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        answers = [
            requests.post(f"http://{one.host}{url}", data="3", timeout=PATIENCE) for one in site.servers
        ]
        assert sorted(one.headers.get("Connection", "kept") for one in answers) == ["close", "kept"]

        # One dies; whoever was there comes back to the other, and Redis may be restarted besides.
        site.servers[1].process.kill()
        site.redis.restart()
        site.say("while one was away")
        with site.client() as back:
            assert back.session.partition(".")[0] in owners
            back.subscribe("news", since=cursors[0])
            assert [back.read()["message"] for _ in range(2)] == ["to all", "while one was away"]
