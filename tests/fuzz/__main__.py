"""``python -m tests.fuzz NAME``: strangers' bytes against one of ``fuzz_*.py``, guided by coverage (atheris).

It begins with the inputs of ``corpus/NAME.txt`` and goes on until it is stopped (``-max_total_time=60``, or
another option of libFuzzer). What crashes it, or takes more than 50 ms of CPU time, ends it, and is in a file
then: ``--add FILE`` puts it into the corpus. ``--keep`` adds inputs that reached something new.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.corpora import NAMES, add, read


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--keep", action="store_true", help="add what reached more to the corpus")
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="files to add to the corpus")
    chosen, options = parser.parse_known_args()
    if chosen.add:
        _add(chosen.name, chosen.add)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(read(chosen.name)):
            Path(folder, str(number)).write_bytes(data)
        command = [sys.executable, "-m", "tests.fuzz.under_atheris", chosen.name, *options, folder]
        status = subprocess.run(command).returncode
        if chosen.keep:
            _add(chosen.name, list(Path(folder).iterdir()))
    return status


def _add(name: str, files: list[Path]) -> None:
    import django

    django.setup()
    add(name, [path.read_bytes() for path in files])


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if __name__ == "__main__":
    sys.exit(main())
