"""Did a test fail, or the machine? What failed beside others runs once more alone; what passes then is named.

Some of the tests start servers and browsers by the dozen, on machines that do other things too. A fault fails
both times. Many failures are no accident: they count as they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FAILED = Path(".pytest_cache/v/cache/lastfailed")
ACCIDENTS = 5

AGAIN = ["--last-failed", "--last-failed-no-failures", "none", "--numprocesses", "0"]


def tests(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments]).returncode


def main(arguments: list[str]) -> int:
    FAILED.unlink(missing_ok=True)  # of another run
    code = tests(arguments)
    if code != pytest.ExitCode.TESTS_FAILED:
        return code
    failed = list(json.loads(FAILED.read_text()))
    if len(failed) > ACCIDENTS:
        return code
    print(f"\n{len(failed)} failed beside others: once more, alone", flush=True)
    code = tests(AGAIN)
    if not code:
        print("\nflaky, failed beside others and passed alone:", *failed, sep="\n  ", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
