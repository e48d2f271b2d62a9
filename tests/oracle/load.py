"""Publishers and clients around a running server, faults at their times, and what the judge says."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from tests.live import ROOT, SITE, LiveServer
from tests.oracle.judge import judge
from tests.oracle.report import Report
from tests.oracle.ways import WAYS

PATIENCE = 60.0
# Of the server: a silent one is noticed soon.
SETTINGS = {"PING_INTERVAL": 5.0, "PING_TIMEOUT": 5.0, "LONG_POLL_TIMEOUT": 5.0}


@dataclass(frozen=True)
class Size:
    clients: int = 200
    processes: int = 1  # of clients
    ways: Sequence[str] = tuple(WAYS)
    channels: Sequence[str] = ("a", "b", "c", "d")
    each: int = 2  # channels of a client
    publishers: int = 2
    rate: float = 50.0  # messages a second, of all publishers together
    seconds: float = 20.0
    poll_pause: float = 0.5
    patience: float = 20.0  # for all to be back, and for all to have heard the last message
    quiet: float = 5.0  # after it: what is told then was not asked for


class Companion:
    """A process that obeys lines of JSON."""

    def __init__(self, module: str, arguments: Sequence[object], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.oracle.{module}", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, verb: str, *arguments: object) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait(PATIENCE)}")
        return json.loads(answer)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()


class Load:
    """``with Load(server, size) as load``: the clients are there, and publishers publish."""

    def __init__(
        self,
        server: LiveServer,
        size: Size,
        addresses: Sequence[tuple[str, int]] = (),
        publish_on: Sequence[LiveServer] = (),
        settings: str = "site_settings",
    ) -> None:
        self.server = server
        self.size = size
        self.addresses = list(addresses) or [("127.0.0.1", server.port)]
        self._publish_on = list(publish_on) or [server]
        self._settings = settings
        self._directory = tempfile.TemporaryDirectory(prefix="rworacle")
        self.clients: list[Companion] = []
        self.publishers: list[Companion] = []
        self.figures: dict[str, Any] = {}

    def __enter__(self) -> Load:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for companion in [*self.clients, *self.publishers]:
            companion.end()
        self._directory.cleanup()

    def _start(self) -> None:
        size, where = self.size, ",".join(f"{host}:{port}" for host, port in self.addresses)
        channels = ",".join(size.channels)
        for number in range(size.processes):
            arguments = [where, "--name", f"{number}." if size.processes > 1 else "", "--channels", channels]
            arguments += ["--clients", size.clients // size.processes, "--each", size.each]
            arguments += ["--ways", ",".join(size.ways), "--poll-pause", size.poll_pause]
            self.clients.append(Companion("clients", arguments, dict(os.environ)))
        self._wanted = size.clients // size.processes * size.processes
        self.wait_until(lambda: self.count_back() == self._wanted, "all clients to be there")
        for index in range(1, size.publishers + 1):
            arguments = ["--index", index, "--rate", size.rate / size.publishers, "--channels", channels]
            server = self._publish_on[index % len(self._publish_on)]
            path = os.pathsep.join([str(ROOT), str(server.project or SITE)])
            environment = {
                **server.environment,
                "PYTHONPATH": path,
                "DJANGO_SETTINGS_MODULE": self._settings,
            }
            self.publishers.append(Companion("publisher", arguments, environment))
        self.hear(self._wanted)

    # While it runs

    def count_back(self) -> int:
        """How many clients hear all their channels."""
        return sum(one.tell("status")["back"] for one in self.clients)

    def count_heard(self) -> int:
        return sum(one.tell("status")["heard"] for one in self.clients)

    def hear(self, more: int) -> None:
        """Wait until so many more messages have been heard."""
        before = self.count_heard()
        self.wait_until(lambda: self.count_heard() >= before + more, f"{more} deliveries")

    def wait_until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        deadline, pause = monotonic() + patience, threading.Event()
        while not condition():
            if monotonic() > deadline:
                raise AssertionError(
                    f"waited {patience} s in vain for {what}: {[one.tell('status') for one in self.clients]}"
                )
            pause.wait(0.1)

    def cut(self, share: float) -> int:
        """Cut a share of the connections, as a network would."""
        return sum(one.tell("cut", share) for one in self.clients)

    def go_to(self, addresses: Sequence[tuple[str, int]]) -> None:
        """Where clients connect to from now on."""
        self.addresses = list(addresses)
        for one in self.clients:
            one.tell("go_to", self.addresses)

    def run(self, faults: Sequence[tuple[float, Callable[[Load], object]]]) -> Report:
        """For as long as the size says, each fault at its second; then the end."""
        began, pause = monotonic(), threading.Event()
        for at, fault in sorted(faults, key=lambda one: one[0]):
            pause.wait(max(0, began + at - monotonic()))
            fault(self)
        pause.wait(max(0, began + self.size.seconds - monotonic()))
        return self.finish()

    def finish(self) -> Report:
        """The last message of each channel, some quiet, and the judgement."""
        self._wait_for_clients()
        first, *others = self.publishers
        attempts = [attempt for one in others for attempt in self._journal(one)]
        last = first.tell("say_the_last")
        attempts += self._journal(first)
        self._wait_for_the_last(last)
        threading.Event().wait(self.size.quiet)
        journals, cpu = [], 0.0
        for number, one in enumerate(self.clients):
            path = Path(self._directory.name, f"clients-{number}")
            cpu += one.tell("finish", str(path))["cpu"]
            journals += pickle.loads(path.read_bytes())
        attempts.sort(key=lambda attempt: attempt.began)
        return Report(attempts, journals, judge(attempts, journals), cpu)

    def _wait_for_clients(self) -> None:
        """Who comes back later than the last message was published need not hear it."""
        with suppress(AssertionError):
            self.wait_until(lambda: self.count_back() == self._wanted, "all to be back", self.size.patience)

    def _wait_for_the_last(self, numbers: list[int]) -> None:
        """In vain perhaps: then the judge says who has not heard what."""
        with suppress(AssertionError):
            self.wait_until(
                lambda: not sum(one.tell("have_heard", numbers) for one in self.clients),
                "the last messages",
                self.size.patience,
            )

    def _journal(self, publisher: Companion) -> list[Any]:
        path = Path(self._directory.name, f"publisher-{publisher.process.pid}")
        publisher.tell("finish", str(path))
        return pickle.loads(path.read_bytes())
