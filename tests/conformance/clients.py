"""The official client under Node, as the tests of this folder use it: one process, any number of clients."""

from __future__ import annotations

import json
import subprocess
import threading
from base64 import b64decode, b64encode
from itertools import count
from pathlib import Path

from tests.live import PATIENCE, LiveServer, wait_for

HERE = Path(__file__).parent
# An event of the server's own that gives a client its offset.
OFFSET = "realtime_wall:offset"


def conformance_server(arguments=("--noreload",), **settings):
    return LiveServer(
        arguments=arguments,
        project=HERE / "project",
        settings=settings,
        program=("manage_visits.py",),
    )


def plain(value):
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return list(map(plain, value)) if isinstance(value, (list, tuple)) else value


def live(value):
    if isinstance(value, dict):
        if "$bytes" in value:
            return b64decode(value["$bytes"])
        return {key: live(item) for key, item in value.items()}
    return list(map(live, value)) if isinstance(value, list) else value


class Node:
    def __init__(self):
        self.process = subprocess.Popen(
            ["node", "client.js"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.happened = {}
        self._numbers = count(1)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            one = json.loads(line)
            self.happened[one["client"]].append((one["what"], live(one["value"])))

    def command(self, what, client, **arguments):
        self.process.stdin.write(json.dumps({"do": what, "client": client, **plain(arguments)}) + "\n")
        self.process.stdin.flush()

    def open(self, server, namespace="/", *, port=None, answers=None, stock=(), path="", **options):
        """A client that connects; ``options`` are the official ones."""
        name = str(next(self._numbers))
        self.happened[name] = []
        url = f"http://127.0.0.1:{port or server.port}{namespace}{path}"
        self.command("open", name, url=url, options=options, answers=answers or {}, stock=stock)
        return NodeClient(self, name)

    def slow_road(self, server, longest):
        """The port of a proxy that delays everything by up to ``longest`` milliseconds."""
        name = str(next(self._numbers))
        self.happened[name] = []
        self.command("slow_road", name, port=server.port, longest=longest)
        return wait_for(lambda: self.happened[name])[0][1]

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self._reader.join()
        self.process.stdout.close()


class NodeClient:
    def __init__(self, node, name):
        self._node = node
        self._name = name
        self._numbers = count(1)

    @property
    def happened(self):
        """(what, value) of everything, in order."""
        return list(self._node.happened[self._name])

    def all(self, what):
        return [value for happened, value in self.happened if happened == what]

    @property
    def events(self):
        """[name, *args] of each event; the offset behind the arguments is not looked at."""
        return [event for event in self.all("event") if event[0] != OFFSET]

    def heard(self, name):
        """The first argument of all events of a name."""
        return [event[1] for event in self.events if event[0] == name]

    def wait(self, what, times=1):
        """The latest of so many of its kind."""
        return wait_for(lambda: self.all(what)[times - 1 :], f"{what} of a client ({self.happened})")[-1]

    def wait_heard(self, name, last):
        """What was heard under a name, once this was."""
        wait_for(lambda: last in self.heard(name), f"{last!r} of a client ({self.happened[-30:]})")
        return self.heard(name)

    def emit(self, *args):
        self._node.command("emit", self._name, args=args)

    def ask(self, *args):
        """Emit with an acknowledgement; its arguments."""
        return self._ask("ask", args)

    def ask_in_time(self, *args, milliseconds):
        """The same with a time limit; before its arguments is what the client says when it is over."""
        return self._ask("ask_in_time", args, milliseconds=milliseconds)

    def _ask(self, command, args, **limits):
        number = next(self._numbers)
        self._node.command(command, self._name, args=args, number=number, **limits)
        found = wait_for(
            lambda: [one[1:] for one in self.all("ack") if one[0] == number], f"an answer to {args}"
        )
        return found[0]

    def tell(self, what):
        self._node.command(what, self._name)

    @property
    def transport(self):
        before = len(self.all("transport"))
        self.tell("transport")
        return self.wait("transport", before + 1)
