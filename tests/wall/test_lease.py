import os
import signal
import subprocess
import sys

import pytest

from realtime_wall.wall.lease import Lease
from tests.live import ROOT, wait_for

HOLD = """
import sys
from pathlib import Path
from realtime_wall.wall.lease import Lease
lease = Lease(Path(sys.argv[1]))
print(lease.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "feeder.lock"


@pytest.fixture
def other(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    yield process
    process.kill()
    process.communicate()


def test_one_has_it_and_no_other(path):
    first, second = Lease(path), Lease(path)

    assert first.take() and first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_giving_back_what_one_never_had_is_no_trouble(path):
    first, second = Lease(path), Lease(path)
    first.take()
    second.release()

    assert not second.take()
    first.release()


def test_the_kernel_takes_it_from_a_process_that_was_killed(path, other):
    assert other.stdout.readline() == "True\n"
    lease = Lease(path)
    assert not lease.take()

    other.send_signal(signal.SIGKILL)

    wait_for(lease.take, patience=2)
    lease.release()


def test_a_link_in_its_place_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError):
        Lease(path).take()
    assert not (tmp_path / "elsewhere").exists()
