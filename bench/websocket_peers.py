"""``make bench ARGS=websockets``: a broadcast by each of the servers that people choose from, in one run.

A table for ``docs/reference/speed.rst``, and its chart beside it. What npm and PyPI have is installed into
``bench/peers``, nchan is Debian's; one that cannot be had is named.
"""

from __future__ import annotations

import contextlib
import functools
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.chart import bars
from bench.figures.figure import CLIENTS
from bench.server import PATIENCE, PEERS, ROOT, Bare, GeventSocketIO, NodeSocketIO, Ours, Process, npm_install
from bench.swarm import Swarm

SIZE = 300
ROUNDS = 11
IDLE = 1000
NEEDLE = "x" * 8 + '"'  # the end of each message, and of nothing else
CHART = ROOT / "docs" / "reference" / "speed.svg"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


class Peer(Process):
    """A server of ``bench/peers``."""

    def __init__(self, program: str | Path, *arguments: str) -> None:
        self.program = str(program)
        super().__init__(
            lambda self: [*(one.replace("PORT", str(self.port)) for one in arguments)], PEERS, lambda self: {}
        )


class Nchan(Process):
    program = "nginx"

    def __init__(self) -> None:
        if not NCHAN.exists():
            raise FileNotFoundError("libnginx-mod-nchan is not installed")
        super().__init__(self._command, PEERS, lambda self: {})

    def _command(self, _: Process) -> list[str]:
        folder = self.directory.name
        text = (PEERS / "nchan.conf").read_text().replace("PORT", str(self.port)).replace("FOLDER", folder)
        Path(folder, "nginx.conf").write_text(text)
        return ["-p", folder, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]

    def publish(self, count: int, size: int) -> None:
        body = b'"' + b"x" * size + b'"'
        for _ in range(count):
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/publish/", body)
            urllib.request.urlopen(request, timeout=PATIENCE).close()


@functools.cache
def python() -> Path:
    """That of an environment with what is in ``requirements.txt``."""
    found = PEERS / ".venv" / "bin" / "python"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS / ".venv"], check=True)
    install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        PEERS / "requirements.txt",
    ]
    subprocess.run([found, *install], check=True)
    return found


def node_ws() -> Process:
    npm_install()
    return Peer("node", "node_ws.js", "PORT")


def uvicorn() -> Process:
    options = ["--log-level", "error", "--no-access-log", "--ws-ping-interval", "9999"]
    return Peer(python(), "-m", "uvicorn", "channels_site:application", "--port", "PORT", *options)


def daphne() -> Process:
    options = ["-v0", "--ping-interval", "9999"]
    return Peer(
        python(), "-m", "daphne", "-b", "127.0.0.1", "-p", "PORT", *options, "channels_site:application"
    )


@dataclass
class Contender:
    """A server, and how its clients listen; what was measured of it, a number for each round."""

    name: str
    start: Callable[[], Any]
    is_socketio: bool = False
    is_ours: bool = False
    channel: str = "bench"
    messages: int = 5
    cpu: list[float] = field(default_factory=list)  # us a delivery
    memory: float = 0.0  # KB of an idle client

    server: Any = None
    clients: Any = None
    size: int = 0  # of the text, so that SIZE bytes are written

    def open(self, stack: contextlib.ExitStack) -> None:
        self.server = stack.enter_context(self.start())
        self.clients = stack.enter_context(Swarm())
        self._listen(200)  # what is allocated once
        before = self.server.memory()
        self._listen(IDLE)
        self.memory = (self.server.memory() - before) / IDLE / 1024
        self._listen(CLIENTS - IDLE - 200)
        self.clients.settle(1.0)  # welcomes
        self.clients.begin("count", CLIENTS, NEEDLE)
        self.publish(1, 100)
        *_, read = self.clients.end()
        # A position of ours grows by a digit now and then: what is counted is what came.
        self.size = 100 + SIZE - read // CLIENTS

    def _listen(self, count: int) -> None:
        if self.is_socketio:
            self.clients.listen_socketio(self.server.port, count)
        else:
            self.clients.listen(self.server.port, count, "/ws/?channel=bench")

    def publish(self, count: int, size: int) -> None:
        if isinstance(self.server, Nchan):
            self.server.publish(count, size)
        else:
            self.server.get(f"/publish/?channel={self.channel}&count={count}&size={size}")

    def measure(self) -> None:
        self.cpu.append((self._spent(self.messages) - self._spent(0)) / self.messages / CLIENTS * 1e6)

    def _spent(self, count: int) -> float:
        """CPU seconds until the clients have read it all."""
        self.clients.begin("count", CLIENTS * count, NEEDLE)
        before = self.server.cpu()
        self.publish(count, self.size)
        seen, connected, _ = self.clients.end()
        if (seen, connected) != (CLIENTS * count, CLIENTS):
            raise RuntimeError(f"{seen} of {CLIENTS * count} came, {connected} are connected")
        return self.server.cpu_when_idle() - before


class Loop(Contender):
    def open(self, stack: contextlib.ExitStack) -> None:
        self.server, self.clients = stack.enter_context(Bare()), stack.enter_context(Swarm())
        self.clients.listen_bare(self.server.port, CLIENTS)

    def _spent(self, count: int) -> float:
        self.clients.begin("expect", CLIENTS * count * SIZE)
        before = self.server.cpu()
        self.server.send(count, SIZE)
        self.clients.end()
        return self.server.cpu() - before


def contenders() -> list[Contender]:
    return [
        Loop("a loop of send, nothing else", Bare),
        Contender("realtime_wall, plain", Ours, is_ours=True),
        Contender("realtime_wall, Socket.IO", Ours, is_socketio=True, is_ours=True, channel="*"),
        Contender("nchan in nginx", Nchan),
        Contender("ws on Node.js", node_ws),
        Contender("Socket.IO on Node.js", NodeSocketIO, is_socketio=True),
        Contender("gevent-websocket", lambda: Peer(sys.executable, "gevent_websocket.py", "PORT")),
        Contender("websockets on asyncio", lambda: Peer(sys.executable, "asyncio_websockets.py", "PORT")),
        Contender("python-socketio on gevent", GeventSocketIO, is_socketio=True),
        Contender("Channels on uvicorn", uvicorn, messages=1),
        Contender("Channels on daphne", daphne, messages=1),
    ]


def show() -> None:
    with contextlib.ExitStack() as stack:
        found = []
        for one in contenders():
            print(f"  {one.name} ...", file=sys.stderr, flush=True)
            try:
                one.open(stack)
            except (OSError, RuntimeError, subprocess.CalledProcessError) as problem:
                print(f"{one.name}: not measured, {problem}", flush=True)
                continue
            found.append(one)
        for index in range(ROUNDS + 1):
            for one in list(found):
                try:
                    one.measure()
                except RuntimeError as problem:
                    print(f"{one.name}: not measured, {problem}", flush=True)
                    found.remove(one)
                if not index:  # the first round warms up
                    one.cpu.clear()
    loop = found[0]
    rows = [(one, statistics.median(one.cpu), _to(one, loop)) for one in found]
    rows.sort(key=lambda row: row[1])
    print(_table(rows))
    CHART.write_text(
        bars("CPU of a delivery, microseconds", [(one.name, us, one.is_ours) for one, us, _ in rows])
    )
    print(f"\n{CHART.relative_to(ROOT)} is drawn anew.")


def _to(one: Contender, loop: Contender) -> float:
    return statistics.median(a / b for a, b in zip(one.cpu, loop.cpu, strict=True))


def _table(rows: list[tuple[Contender, float, float]]) -> str:
    rule = f"{'=' * 28}  {'=' * 12}  {'=' * 11}  {'=' * 18}"
    head = f"{'2,000 clients, 300 bytes':<28}  {'us, delivery':<12}  {'to the loop':<11}  KB, an idle client"
    lines = []
    for one, us, times in rows:
        memory = f"{one.memory:.1f}" if one.memory else ""
        lines.append(f"{one.name:<28}  {us:<12.1f}  {times:<11.2f}  {memory}".rstrip())
    return "\n".join([rule, head.rstrip(), rule, *lines, rule])
