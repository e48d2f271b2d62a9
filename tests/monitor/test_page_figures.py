"""What the live page costs with 10,000 sockets on four servers: a run of ``make prove``."""

import base64
import contextlib
import json
import os
import re
import socket
import time

import psutil
import pytest
import requests

from tests.live import PATIENCE, LiveServer, wait_for

SOCKETS, SERVERS = 10_000, 4
PAGES = ("", "sockets/", "channels/", "channel/?name=room.1")
# How often the page asks again, in seconds.
INTERVAL = 5


def join(server, number):
    """One that is on a channel, and reads nothing more."""
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET /ws/ HTTP/1.1", f"Host: {server.host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    subscribe = json.dumps({"type": "subscribe", "channel": f"room.{number % 100}"}).encode()
    masked = bytes([0x81, 0x80 | len(subscribe), 0, 0, 0, 0]) + subscribe  # by zeros
    connection.sendall("\r\n".join(lines).encode() + masked)
    assert connection.recv(65536).startswith(b"HTTP/1.1 101")
    return connection


@pytest.fixture
def site():
    limits = {"ADDRESS_CONNECTIONS": 0, "PING_INTERVAL": 600}
    first = LiveServer(settings=limits, environment={"SITE_ADD_ONS": "realtime_wall.monitor"})
    with contextlib.ExitStack() as stack:
        assert first.manage("migrate", "-v0").returncode == 0
        stack.enter_context(first)
        servers = [first]
        for _ in range(1, SERVERS):
            other = LiveServer(environment={**first.environment})
            other.environment = dict(first.environment)
            servers.append(stack.enter_context(other))
        yield servers


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_the_page_opens_in_a_second_and_costs_a_server_less_than_a_hundredth(site):
    first = site[0]
    code = "from django.contrib.auth.models import User; User.objects.create_superuser('ada', password='ada')"
    assert first.manage("shell", "-v0", "-c", code).returncode == 0
    browser = requests.Session()
    signing_in = browser.get(f"{first.url}admin/login/", timeout=PATIENCE)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', signing_in.text)[1]
    who = {"username": "ada", "password": "ada", "csrfmiddlewaretoken": token, "next": "/hello/"}
    assert browser.post(f"{first.url}admin/login/", who, timeout=PATIENCE).text == "hello"
    live = f"{first.url}admin/realtime_wall_monitor/livesite/"
    joined = [join(site[number % SERVERS], number) for number in range(SOCKETS)]
    processes = [psutil.Process(server.process.pid) for server in site]
    wait_for(lambda: f"{SOCKETS} sockets on all" in browser.get(f"{live}sockets/").text, "all of them")

    for page in PAGES:
        before, took = [sum(one.cpu_times()[:2]) for one in processes], []
        for _ in range(20):
            began = time.perf_counter()
            assert browser.get(live + page, timeout=PATIENCE).status_code == 200
            took.append(time.perf_counter() - began)
        used = [(sum(one.cpu_times()[:2]) - had) / 20 for one, had in zip(processes, before, strict=True)]
        shares = [f"{cpu / INTERVAL:.2%}" for cpu in used]
        print(f"/{page}: {sorted(took)[10]:.3f} s, at most {max(took):.3f}; of each server: {shares}")
        assert sorted(took)[10] < 1
        # The first serves the page as well, as it would any other.
        assert max(used[1:]) / INTERVAL < 0.01
    for connection in joined:
        connection.close()
