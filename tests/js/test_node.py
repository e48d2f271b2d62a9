"""The tests of our JavaScript, run by Node's own test runner."""

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.node
def test_the_javascript_passes_its_own_tests():
    files = sorted(str(file) for file in HERE.glob("*.test.js"))

    run = subprocess.run(["node", "--test", *files], capture_output=True, text=True, timeout=60)

    assert run.returncode == 0, run.stdout + run.stderr
