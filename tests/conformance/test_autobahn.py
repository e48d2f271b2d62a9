"""Autobahn's 517 cases for WebSocket servers, on an echo of three lines. Part of ``make prove``.

``make prove ARGS=tests/conformance/test_autobahn.py`` runs them alone, with ``AUTOBAHN_CASES=1.*,12.1.*`` in
the environment some of them: those of compression (12 and 13) take many minutes, the others two. The suite is
a program for Python 2.7: where the machine has none, the run says so and fails.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live import LiveServer

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
# The suite's largest messages have 16 MiB, in up to 65,536 fragments.
SETTINGS = {
    "MESSAGE_SIZE": 17 * 1024**2,
    "MESSAGE_FRAGMENTS": 100_000,
    "OUTBOX_SIZE": 40 * 1024**2,
    "PUBLISH_FROM_LOOPBACK": False,
    # Thousands of cases' messages in minutes, from one address.
    **{"FRAME_RATE": 0, "BYTE_RATE": 0, "CPU_RATE": 0},
    "WEBSOCKET_COMPRESSION": True,
    "COMPRESSION_MIN_SIZE": 1,
}
# Some cases are there to be looked at, and pass in any case.
STRICT = {"OK", "INFORMATIONAL"}


def python27():
    found = sorted(Path.home().glob(".pyenv/versions/2.7.*/bin/python"))
    # pyenv's first: what it has on the path are names that may stand for nothing.
    return str(found[-1]) if found else shutil.which("python2.7")


def run_suite(server, folder, cases=("*",)):
    """The verdicts by case: (behaviour, behaviour at the close)."""
    python = python27()
    assert python, "Autobahn's suite needs Python 2.7, and this machine has none: not run"
    site = folder / "site"
    install = [python, "-m", "pip", "install", "--quiet", "--target", site, "autobahntestsuite"]
    subprocess.run(install, check=True, capture_output=True)
    url = f"ws://{server.host}/raw/echo/"
    spec = {
        "outdir": str(folder / "reports"),
        "servers": [{"agent": "ours", "url": url}],
        "cases": list(cases),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    command = (
        f"import site; site.addsitedir({str(site)!r}); from autobahntestsuite import wstest; wstest.run()"
    )
    subprocess.run(
        [python, "-c", command, "-m", "fuzzingclient", "-s", folder / "spec.json"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    report = json.loads((folder / "reports" / "index.json").read_text())["ours"]
    return {case: (one["behavior"], one["behaviorClose"]) for case, one in report.items()}


if PROVE:

    @pytest.mark.timeout(7200)
    def test_every_case_of_autobahn_passes_strictly(tmp_path):
        with LiveServer(settings=SETTINGS) as server:
            verdicts = run_suite(server, tmp_path, (os.environ.get("AUTOBAHN_CASES") or "*").split(","))
        print(f"{len(verdicts)} cases")

        assert len(verdicts) == 517 or "AUTOBAHN_CASES" in os.environ
        assert not {case: found for case, found in verdicts.items() if not STRICT.issuperset(found)}
