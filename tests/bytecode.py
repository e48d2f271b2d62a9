"""Who keeps compiled Python: this package and its tests do, the small projects that tests write do not.

Hundreds of servers are started, and compiling the package is a third of a start where nothing is kept
(containers often say so). A project that a test changes twice in a second would run as it was: bytecode
knows its source by size and second.
"""

import compileall
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("realtime_wall", "example_wall", "example_chat", "tests/site", "tests/feed_site")


def keep():
    sys.dont_write_bytecode = False  # pytest's own, of tests with their asserts rewritten
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # the processes that tests start
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for part in PARTS:
            compileall.compile_dir(ROOT / part, quiet=1)
