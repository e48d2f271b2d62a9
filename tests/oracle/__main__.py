"""``python -m tests.oracle``: a server under load, faults, a table, and the judge's verdicts.

    python -m tests.oracle --clients 200 --rate 50 --seconds 30 --fault cut:5 --fault kill-server:12
    python -m tests.oracle --server "--workers 2" --clients 1000 --rate 100 --seconds 300 \\
        --fault kill-worker:10

A fault is a name and how many seconds lie between two of it. The exit status is 1 when the judge has a
verdict.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys

from tests.live import LiveServer
from tests.oracle import faults
from tests.oracle.load import SETTINGS, Load, Size
from tests.oracle.ways import WAYS

FAULTS = {
    "cut": faults.cut(0.5),
    "cut-all": faults.cut(1.0),
    "kill-server": faults.kill_the_server,
    "kill-worker": faults.kill_a_worker,
    "hang-up": faults.hang_up,
    "freeze": faults.freeze_a_worker(3.0),
}


def main() -> int:
    size = Size()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", default="", help="more arguments of rungevent")
    parser.add_argument("--settings", default="{}", help="REALTIME_WALL, as JSON")
    parser.add_argument("--clients", type=int, default=size.clients)
    parser.add_argument("--processes", type=int, default=size.processes, help="of clients")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--channels", type=int, default=len(size.channels))
    parser.add_argument("--each", type=int, default=size.each, help="channels of a client")
    parser.add_argument("--publishers", type=int, default=size.publishers)
    parser.add_argument("--rate", type=float, default=size.rate, help="messages a second")
    parser.add_argument("--seconds", type=float, default=size.seconds)
    parser.add_argument("--poll-pause", type=float, default=size.poll_pause)
    parser.add_argument("--quiet", type=float, default=size.quiet)
    parser.add_argument("--fault", action="append", default=[], metavar="|".join(FAULTS) + ":SECONDS")
    asked = parser.parse_args()

    options = {name: value for name, value in vars(asked).items() if name in Size.__dataclass_fields__}
    options["channels"] = [f"channel{number}" for number in range(asked.channels)]
    options["ways"] = asked.ways.split(",")
    size = Size(**options)
    todo = []
    for fault in asked.fault:
        name, _, seconds = fault.partition(":")
        todo += faults.every(float(seconds), FAULTS[name], size.seconds)
    arguments = ("--noreload", *shlex.split(asked.server))
    with (
        LiveServer(arguments=arguments, settings={**SETTINGS, **json.loads(asked.settings)}) as server,
        Load(server, size) as load,
    ):
        report = load.run(todo)
    print(report.table())
    print(report.verdicts())
    print(f"the clients' processes took {report.cpu:.1f} s of CPU")
    return bool(report.judgement.verdicts)


if __name__ == "__main__":
    sys.exit(main())
