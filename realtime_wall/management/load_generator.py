"""How many clients does a server take, and how soon do all of them hear what is published?

Plain WebSockets join channels at a steady rate, what is published is POSTed with a token of the site, and a
message carries the time when it left: here it is read again, by the same clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Origin

# Seconds that a connection may take, and that the last messages may.
CONNECT_TIMEOUT = 20.0
LINGER = 3.0
# Of a second: as fine as latencies are told.
RESOLUTION = 10_000


@dataclass(frozen=True)
class Plan:
    """``url`` is where the package's addresses are: that of the site, for most."""

    url: str
    token: str
    connections: int
    joins: float  # a second
    channels: int
    rate: float  # messages a second, over all channels
    seconds: float  # after all have joined
    size: int  # of a message
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def websocket_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}ws/"


class Latencies:
    """How long something took, many times."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0

    def add(self, seconds: float) -> None:
        self._counts[int(seconds * RESOLUTION)] += 1
        self.count += 1

    def at(self, share: float) -> float | None:
        """In so many seconds, or fewer, this share of them was done; None when there was none."""
        left = share * self.count
        for bucket in sorted(self._counts):
            left -= self._counts[bucket]
            if left <= 0:
                return bucket / RESOLUTION
        return None


@dataclass
class LoadResult:
    connected: int = 0  # now
    joined: int = 0  # in all
    published: int = 0
    expected: int = 0  # deliveries
    delivered: int = 0
    gaps: int = 0  # that clients were told of
    problems: Counter[str] = field(default_factory=Counter)
    connecting: Latencies = field(default_factory=Latencies)
    delivering: Latencies = field(default_factory=Latencies)
    seconds: float = 0.0
    busy: float = 0.0  # the share of a core that this process took

    def as_json(self) -> dict[str, Any]:
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
        return {
            **{key: getattr(self, key) for key in ("joined", "published", "expected", "delivered", "gaps")},
            "problems": dict(self.problems),
            "connect_seconds": {key: self.connecting.at(share) for key, share in shares.items()},
            "delivery_seconds": {key: self.delivering.at(share) for key, share in shares.items()},
            "seconds": round(self.seconds, 1),
            "busy": round(self.busy, 2),
        }


def run(plan: Plan, progress: Callable[[LoadResult], object]) -> LoadResult:
    """Run all of it; ``progress`` is called each second with what has happened up to then."""
    return asyncio.run(_Load(plan, progress).run())


class _Load:
    def __init__(self, plan: Plan, progress: Callable[[LoadResult], object]) -> None:
        self._plan = plan
        self._progress = progress
        self._result = LoadResult()
        self._subscribed: Counter[str] = Counter()
        self._channels = [f"load.{number}" for number in range(plan.channels)]
        self._is_over = False

    async def run(self) -> LoadResult:
        plan, began, cpu = self._plan, time.monotonic(), time.process_time()
        clients = []
        reporting = asyncio.create_task(self._report())
        for number in range(plan.connections):
            clients.append(asyncio.create_task(self._client(self._channels[number % plan.channels])))
            await _until(began + number / plan.joins)
        await self._wait_for_the_last()
        if self._result.connected:
            await self._publish()
        self._is_over = True
        for task in (*clients, reporting):
            task.cancel()
        await asyncio.gather(*clients, reporting, return_exceptions=True)
        self._result.seconds = time.monotonic() - began
        self._result.busy = (time.process_time() - cpu) / self._result.seconds
        return self._result

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._progress(self._result)

    async def _wait_for_the_last(self) -> None:
        deadline, result = time.monotonic() + CONNECT_TIMEOUT, self._result
        while time.monotonic() < deadline:
            if result.connected + sum(result.problems.values()) >= self._plan.connections:
                return
            await asyncio.sleep(0.01)

    # A client

    async def _client(self, channel: str) -> None:
        began, result, plan = time.monotonic(), self._result, self._plan
        options: dict[str, Any] = {
            "ping_interval": None,
            "compression": None,
            "open_timeout": CONNECT_TIMEOUT,
        }
        parts = urlsplit(plan.url)
        origin = Origin(f"{parts.scheme}://{parts.netloc}")
        try:
            async with connect(
                plan.websocket_url, origin=origin, additional_headers=plan.headers, **options
            ) as socket:
                await self._join(socket, channel)
                result.connecting.add(time.monotonic() - began)
                with self._counted(channel):
                    async for text in socket:
                        self._heard(text)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else "without a word"
            result.problems[f"closed by the server: {code}"] += 1
        except InvalidStatus as refused:
            result.problems[f"refused: {refused.response.status_code}"] += 1
        except (OSError, TimeoutError, WebSocketException, ValueError) as problem:
            result.problems[f"{type(problem).__name__}: {problem}"[:100]] += 1
        else:
            result.problems["closed by the server: 1000"] += 1

    async def _join(self, socket: ClientConnection, channel: str) -> None:
        await socket.send(
            json.dumps({"type": "subscribe", "channel": channel, "token": self._plan.token, "id": 1})
        )
        async for text in socket:
            answer = json.loads(text)
            if answer.get("id") == 1:
                if answer["type"] != "subscribed":
                    raise ValueError(f"not subscribed: {answer.get('message')}")
                return

    @contextlib.contextmanager
    def _counted(self, channel: str) -> Iterator[None]:
        self._result.connected += 1
        self._result.joined += 1
        self._subscribed[channel] += 1
        try:
            yield
        finally:
            self._result.connected -= 1
            self._subscribed[channel] -= 1

    def _heard(self, text: str | bytes) -> None:
        one = json.loads(text)
        if one["type"] == "gap":
            self._result.gaps += 1
        elif isinstance(one.get("message"), dict) and "left" in one["message"]:
            self._result.delivered += 1
            self._result.delivering.add(time.monotonic() - one["message"]["left"])

    # What is published

    async def _publish(self) -> None:
        plan, result, began = self._plan, self._result, time.monotonic()
        publisher = _Publisher(plan)
        number = 0
        while (due := began + number / plan.rate) < began + plan.seconds:
            await _until(due)
            channel = self._channels[number % plan.channels]
            number += 1
            hear = self._subscribed[channel]
            try:
                await asyncio.to_thread(publisher.publish, channel)
            except (OSError, http.client.HTTPException, ValueError) as problem:
                result.problems[f"not published: {problem}"[:100]] += 1
                continue
            result.published += 1
            result.expected += hear
        deadline = time.monotonic() + LINGER
        while result.delivered < result.expected and time.monotonic() < deadline:
            await asyncio.sleep(0.01)


class _Publisher:
    """One connection, in whichever thread."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        parts = urlsplit(plan.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT)
        self._path = f"{parts.path}events/pub/"

    def publish(self, channel: str) -> None:
        body = json.dumps({"left": time.monotonic(), "filling": "x" * max(0, self._plan.size - 50)})
        headers = {
            **self._plan.headers,
            "Authorization": f"Bearer {self._plan.token}",
            "Content-Type": "application/json",
        }
        try:
            self._connection.request("POST", self._path + quote(channel), body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if answer.status != 200:
            reason = answer.headers.get("X-Nginx-PushStream-Explain") or answer.reason
            raise ValueError(f"{answer.status} {reason}")


async def _until(due: float) -> None:
    await asyncio.sleep(max(0.0, due - time.monotonic()))
