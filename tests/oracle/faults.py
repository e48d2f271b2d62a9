"""What is done to a server while it is watched. Each is given the load, and comes back when it is done."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator

import psutil

from tests.oracle.load import Load

Fault = Callable[[Load], object]


def cut(share: float) -> Fault:
    """Some connections end in the middle of what they hear."""
    return lambda load: load.cut(share)


def kill_the_server(load: Load) -> None:
    """``kill -9``, and another one at the same address."""
    server = load.server
    server.stop(signal.SIGKILL)
    server.command[1] = str(load.addresses[0][1])
    server.log.write_text("")
    server.start()


def kill_a_worker(load: Load) -> None:
    """``kill -9`` of one of the processes that the server has started."""
    workers = psutil.Process(load.server.process.pid).children()
    if workers:
        random.choice(workers).kill()


def hang_up(load: Load) -> None:
    """SIGHUP: a rolling reload, where the server knows it."""
    load.server.process.send_signal(signal.SIGHUP)


def freeze_a_worker(seconds: float) -> Fault:
    """One process of the server stands still for a while; without workers it is the server."""

    def freeze(load: Load) -> None:
        server = psutil.Process(load.server.process.pid)
        process = random.choice(server.children() or [server])
        process.suspend()
        threading.Timer(seconds, process.resume).start()

    return freeze


def every(seconds: float, fault: Fault, until: float) -> Iterator[tuple[float, Fault]]:
    """The same fault again and again, first after that many seconds."""
    at = seconds
    while at < until:
        yield at, fault
        at += seconds
