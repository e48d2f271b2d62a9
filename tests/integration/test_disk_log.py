"""With the log on disk a killed server has lost nothing when it is back, and nobody is told of a gap."""

import os
import random
import threading
from itertools import count

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.live import LiveServer

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
KILLS = 200 if PROVE else 2
ROOM = "room"


class Publisher:
    """Publishes rising numbers until the server is gone, or it is over; writes down what was confirmed."""

    is_over = False

    def __init__(self):
        self.numbers = count(1)
        self.confirmed = []

    def run(self, server):
        with requests.Session() as session:
            try:
                for number in self.numbers:
                    session.post(f"{server.url}events/pub/{ROOM}", str(number), timeout=20).raise_for_status()
                    self.confirmed.append(number)
                    if self.is_over:
                        return
            except requests.RequestException:
                return


class Listener:
    """Comes back with the cursor of what it heard last."""

    def __init__(self):
        self.heard = []
        self.gaps = 0
        self.cursor = None

    def begin(self, server):
        self.client = server.client()
        answer = self.client.subscribe(ROOM, self.cursor)
        self.gaps += answer["type"] != "subscribed"
        self.cursor = self.cursor or answer["cursor"]

    def listen(self, until=None):
        """To all that comes until the connection ends, or to this number."""
        while until is None or until not in self.heard[-1:]:
            try:
                one = self.client.read()
            except (ConnectionClosed, OSError):
                break
            if one.get("channel") == ROOM and "cursor" in one:
                self.heard.append(int(one["message"]))
                self.cursor = one["cursor"]
        self.client.connection.close()


HOW = {"alone": ["--noreload"], "workers": ["--workers", "2"]}


@pytest.mark.parametrize("how", HOW if PROVE else ["alone"])
def test_kill_9_at_any_moment_loses_nothing_and_tells_no_gap(how, tmp_path):
    seed = random.Random(7)
    publisher, listener = Publisher(), Listener()
    settings = {"LOG_DIR": str(tmp_path / "log"), "PUBLISH_FROM_LOOPBACK": True}
    for _ in range(KILLS):
        with LiveServer(settings=settings, arguments=HOW[how]) as server:
            listener.begin(server)
            ears = threading.Thread(target=listener.listen)
            mouth = threading.Thread(target=publisher.run, args=[server])
            ears.start()
            mouth.start()
            mouth.join(seed.uniform(0.05, 0.3))
            server.process.kill()
            mouth.join()
            ears.join()
    with LiveServer(settings=settings, arguments=HOW[how]) as server:
        last = next(publisher.numbers)
        listener.begin(server)
        requests.post(f"{server.url}events/pub/{ROOM}", str(last), timeout=20).raise_for_status()
        listener.listen(until=last)
        assert "Traceback" not in server.output

    assert listener.gaps == 0
    assert len(publisher.confirmed) > KILLS
    assert set(publisher.confirmed) <= set(listener.heard)
    assert listener.heard == sorted(set(listener.heard))  # in order, none twice
