import contextlib
import fcntl
import subprocess
import sys

import pytest

from tests.conftest import pytest_runtest_makereport
from tests.live import PATIENCE, ROOT, wait_for
from tests.workers import sendable

WORKER = """
import sys
from pathlib import Path
from tests import workers

workers.DOOR, workers.ROOM = map(Path, sys.argv[1:3])
with workers.turn(alone=sys.argv[3] == "alone"):
    print("in", flush=True)
    sys.stdin.read()
"""


class Worker:
    """Its turn lasts until it is told to go."""

    def __init__(self, *arguments):
        command = [sys.executable, "-c", WORKER, *map(str, arguments)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def is_in(self):
        return self.process.stdout.readline() == "in\n"

    def go(self):
        self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "door").touch()
    (tmp_path / "room").touch()
    return tmp_path


@pytest.fixture
def worker(place):
    workers = []

    def begin(how):
        workers.append(Worker(place / "door", place / "room", how))
        return workers[-1]

    yield begin
    for each in workers:
        each.process.kill()
        each.process.communicate()


def is_shut(path):
    with open(path) as file, contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    return True


def test_most_run_beside_each_other_and_who_measures_runs_alone(worker, place):
    one, other = worker("beside"), worker("beside")
    assert one.is_in() and other.is_in()

    measuring = worker("alone")
    wait_for(lambda: is_shut(place / "door"), "the door to be shut: nobody comes in before it")
    assert not is_shut(place / "room")
    one.go()
    other.go()

    assert measuring.is_in()
    assert is_shut(place / "room")
    assert not is_shut(place / "door")


def test_half_a_character_in_a_report_is_spelled_out():
    assert sendable({"log": [("said", "a\ud800"), 5, None]}) == {"log": [("said", "a\\ud800"), 5, None]}


def test_a_skip_is_a_failure_on_a_machine_that_has_everything(monkeypatch):
    """Also one that is skipped before it begins, as its parameter has no values."""
    monkeypatch.setenv("REALTIME_WALL_NO_SKIPS", "1")
    call = pytest.CallInfo.from_call(lambda: pytest.skip("nothing to try"), "setup", reraise=())

    pytest_runtest_makereport(item=None, call=call)

    with pytest.raises(AssertionError, match="skipped: nothing to try"):
        raise call.excinfo.value
