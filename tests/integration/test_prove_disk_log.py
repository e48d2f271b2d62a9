"""With the log on disk and workers: one of them, their parent, or all are killed, and nothing is lost.

``REALTIME_WALL_KILLS=10 make prove ARGS=tests/integration/test_prove_disk_log.py`` is a short one.
"""

import os
import random
import signal
import socket
import threading
from contextlib import suppress

import psutil
import requests

from tests.integration.test_disk_log import ROOM, Listener, Publisher
from tests.live import LiveServer

KILLS = int(os.environ.get("REALTIME_WALL_KILLS", "200"))
VICTIMS = ("worker", "parent", "all")


def family(server):
    parent = psutil.Process(server.process.pid)
    return [parent, *parent.children(recursive=True)]


def kill(server, victim, seed):
    parent, *workers = family(server)
    chosen = {"worker": [seed.choice(workers)], "parent": [parent], "all": [parent, *workers]}[victim]
    for process in chosen:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    if victim != "worker":
        server.process.wait()
        # Those without a parent end by themselves; then everything is as a new start finds it.
        psutil.wait_procs(workers, timeout=60)
        assert not any(process.is_running() and process.status() != "zombie" for process in workers)


class Round:
    """Somebody publishes and somebody listens, until ``end``."""

    def __init__(self, publisher, listener, server):
        self._publisher, self._listener = publisher, listener
        publisher.is_over = False
        listener.begin(server)
        self._threads = [
            threading.Thread(target=listener.listen),
            threading.Thread(target=publisher.run, args=[server]),
        ]
        for thread in self._threads:
            thread.start()

    def end(self):
        self._publisher.is_over = True
        with suppress(OSError):
            self._listener.client.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


def test_whoever_is_killed_nothing_confirmed_is_lost_and_no_gap_is_reported(tmp_path):
    seed = random.Random(11)
    publisher, listener = Publisher(), Listener()
    settings = {"LOG_DIR": str(tmp_path / "log"), "PUBLISH_FROM_LOOPBACK": True}
    kills = dict.fromkeys(VICTIMS, 0)
    server = None
    while sum(kills.values()) < KILLS:
        if server is None:
            server, killed_workers = LiveServer(settings=settings, arguments=["--workers", "2"]).start(), 0
        victim = VICTIMS[sum(kills.values()) % len(VICTIMS)]
        going_on = Round(publisher, listener, server)
        threading.Event().wait(seed.uniform(0.02, 0.4))
        kill(server, victim, seed)
        if victim == "worker":
            killed_workers += 1  # of this server; each is replaced by one that says so
            server.wait_for_log(r"worker \d \(pid \d+\) serves", count=killed_workers, patience=60)
        going_on.end()
        kills[victim] += 1
        assert "Traceback" not in server.output
        if victim != "worker":
            server.__exit__()
            server = None
    with server or LiveServer(settings=settings, arguments=["--workers", "2"]) as server:
        last = next(publisher.numbers)
        listener.begin(server)
        requests.post(f"{server.url}events/pub/{ROOM}", str(last), timeout=20).raise_for_status()
        listener.listen(until=last)

    lost = set(publisher.confirmed) - set(listener.heard)
    print(f"{kills}: {len(publisher.confirmed)} confirmed, {len(lost)} lost, {listener.gaps} gaps")
    assert (lost, listener.gaps) == (set(), 0)
    assert len(publisher.confirmed) > KILLS
    assert listener.heard == sorted(set(listener.heard))  # in order, none twice
