"""Our client in a real browser behind a proxy that cuts, swallows, delays, and answers by itself."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import requests

from tests.live import PATIENCE, ROOT, LiveServer

pytestmark = pytest.mark.browser

PROVING = bool(os.environ.get("REALTIME_WALL_PROVE"))
SECONDS = 120 if PROVING else 12
# A page waits for its limits: a proxy that swallows is found out after twice the pause of the server's.
SETTINGS = {"PING_INTERVAL": 1, "LONG_POLL_TIMEOUT": 1, "HISTORY_SIZE": 10_000}
LISTEN = """
    (cursor) => {
        window.heard = [];
        window.gaps = 0;
        window.ways = new Set();
        window.socket = Realtime.connect();
        socket.on("status", () => ways.add(socket.transport));
        socket.on("message", (number) => heard.push(number));
        const onError = () => heard.push("refused");
        socket.subscribe("news", { since: cursor, onGap: () => (gaps += 1), onError });
    }
"""


CLIENT = (ROOT / "realtime_wall/static/realtime_wall/realtime.js").read_text()


def publish(server, number):
    """Where it was put."""
    answer = requests.post(f"{server.url}publish/?channel=news", data=str(number), timeout=PATIENCE)
    return answer.json()["positions"][0]


class CuttingProxy:
    def __init__(self, target, way, seed):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cutting_proxy", str(target), way, str(seed)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/"

    def calm_down(self):
        self._process.send_signal(signal.SIGUSR1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.communicate(timeout=PATIENCE)


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("way", ["websocket", "eventsource", "polling"])
def test_behind_a_cutting_proxy_nothing_is_lost_and_no_page_goes_deaf(way, visitors):
    seed = random.randrange(10**6)
    with LiveServer(settings=SETTINGS) as server, CuttingProxy(server.port, way, seed) as proxy:
        page = visitors.tab(f"{proxy.url}hello/", script=f"{CLIENT}; Math.random = () => 0.1")
        page.evaluate(LISTEN, publish(server, 0))
        number, end = 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            number += 1
            publish(server, number)
            page.wait_for_timeout(100)
        proxy.calm_down()
        page.wait_for_function("(number) => heard.at(-1) == number", arg=number, timeout=60_000)
        heard, gaps, ways = page.evaluate("[heard, gaps, [...ways]]")

    # What the browser itself says of a page in the place of a stream.
    visitors.complaints[:] = [
        one for one in visitors.complaints if not one.startswith("EventSource's response")
    ]
    print(f"{way}, seed {seed}: {number} published, {len(heard)} heard, {gaps} gaps, by {ways}")
    assert [int(one) for one in heard] == list(range(1, number + 1)), f"seed {seed}"
    assert gaps == 0
    assert way in ways
